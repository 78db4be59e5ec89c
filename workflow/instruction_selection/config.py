"""An experiment's configuration: YAML files, checked against JSON Schemas, as one plain object.

Each kind of file (`models`, `pools`, `benchmarks`, ...) is a folder under ``config/`` in which one file is one
entry, and has one schema under ``workflow/schemas``. Defaults live in the schemas. Everything that can be known
to be wrong before a job starts raises `InputError` here, with the file and the key.
"""

import difflib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jsonschema
import yaml

from instruction_selection import config_file, table_plan
from instruction_selection.errors import InputError
from instruction_selection.finetuning import training

WORKFLOW = Path(__file__).resolve().parents[1]
SCHEMAS = WORKFLOW / "schemas"
METHODS = Path(__file__).resolve().parent / "methods"
POOLS = Path(__file__).resolve().parent / "pools"

RULES = WORKFLOW / "rules" / "methods"

#: Which rows of a gradient store a need reads.
KINDS = {"pool_gradients": "adam", "pool_sgd_gradients": "sgd", "validation_gradients": "sgd"}

#: Suffixes of a model's files: no pickle, which runs what it says when it is read, and no program.
MODEL_FILES = (".safetensors", ".json", ".txt", ".model", ".jinja")


def _pattern(validator, pattern, instance, schema):
    """As in ECMAScript, where $ is the very end; Python's is also before a last line break."""
    if isinstance(instance, str) and not re.search(re.sub(r"(?<!\\)\$", r"\\Z", pattern), instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


#: JSON Schema takes 1.0 for an integer from draft 6 on; a seed or a number of rows must really be one.
Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator, {"pattern": _pattern}, type_checker=jsonschema.Draft4Validator.TYPE_CHECKER
)

#: Names become path components and Snakemake wildcards.
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
#: Characters of a wrong value that are shown.
LONGEST = 60
#: A wildcard value for "does not depend on this", so no entry may have it as its name.
ANY = "any"


@dataclass(frozen=True)
class Experiment:
    """Everything one run of the workflow needs; mappings go from name to the file's content."""

    name: str
    settings: dict
    models: dict[str, dict]
    encoder: dict | None
    pools: dict[str, dict]
    benchmarks: dict[str, dict]
    methods: dict[str, dict]
    training: dict[str, dict]
    #: Plans, as `table_plan` has them.
    tables: dict[str, dict]

    def resolved(self) -> dict:
        """All settings with defaults filled in, as plain data."""
        return {**vars(self)}


def load(config_dir: str | Path, experiment: str) -> Experiment:
    """Read `config_dir`/experiments/`experiment`.yaml and every file that it names."""
    config_dir = Path(config_dir)
    settings = read_entry(config_dir, "experiment", experiment)
    source = _path(config_dir, "experiment", experiment)

    def entries(kind: str, names) -> dict[str, dict]:
        return {name: read_entry(config_dir, kind, name, named_in=source) for name in names}

    benchmarks = entries("benchmark", settings["targets"])
    loaded = Experiment(
        name=experiment,
        settings=settings,
        models=entries("model", settings["models"]),
        encoder=read_entry(config_dir, "encoder", settings["encoder"], named_in=source)
        if settings["encoder"]
        else None,
        pools=entries("pool", settings["pools"]),
        benchmarks=benchmarks,
        methods=entries("method", settings["methods"]),
        training={stage: _training(config_dir, stage, settings, source) for stage in ("warmup", "finetune")},
        tables=_tables(config_dir, settings, benchmarks, source),
    )
    _check_references(loaded, config_dir, source)
    return loaded


def read_entry(config_dir: Path, kind: str, name: str, named_in: Path | None = None) -> dict:
    """One validated config file with the schema's defaults filled in."""
    path = _path(config_dir, kind, name)
    where = f"{named_in}: " if named_in else ""
    if name == ANY:
        raise InputError(f"{where}{kind} {name!r}: this name is reserved.")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        allowed = "up to 100 of a-z, 0-9 and, after the first, also '.', '_', '-'"
        raise InputError(f"{where}{kind} {_short(repr(name))}: names are of {allowed}.")
    if not path.is_file():
        raise InputError(f"{where}no {kind} {name!r}: {path} does not exist{_suggestion(name, _names(path.parent))}.")
    content = config_file.read(path)
    schema = schema_of(kind)
    content = {} if content is None else content
    _validate(content, schema, path)
    return _with_defaults(content, schema)


def _training(config_dir: Path, stage: str, settings: dict, source: Path) -> dict:
    """A stage's file with the experiment's own settings over it."""
    merged = {**read_entry(config_dir, "training", stage, named_in=source), **settings[stage]["training"]}
    _validate(merged, schema_of("training"), source, inside=(stage, "training"))
    if stage == "warmup" and settings["gradients"]["parameters"] == "full":
        merged = {key: value for key, value in merged.items() if not key.startswith("lora_")}
        merged["finetuning_type"] = "full"
    return merged


def _tables(config_dir: Path, settings: dict, benchmarks: dict, source: Path) -> dict[str, dict]:
    if settings["tables"]:
        tables = {name: read_entry(config_dir, "table", name, named_in=source) for name in settings["tables"]}
    else:
        tables = {
            name: _with_defaults(table_plan.of_target(name, benchmark), schema_of("table"))
            for name, benchmark in benchmarks.items()
        }
    reported = config_dir / "tables" / "reported"
    return {name: table_plan.fill(table, settings, reported) for name, table in tables.items()}


def _path(config_dir: Path, kind: str, name: str) -> Path:
    folder = kind if kind == "training" else f"{kind}s"
    return config_dir / folder / f"{name}.yaml"


def names(config_dir: str | Path, kind: str) -> list[str]:
    """The entries of a kind that have a file."""
    return _names(_path(Path(config_dir), kind, "").parent)


def _names(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.yaml"))


@cache
def schema_of(kind: str) -> dict:
    return _expanded(yaml.safe_load((SCHEMAS / f"{kind}.schema.yaml").read_text(encoding="utf-8")))


def _expanded(schema):
    """`schema` with other schema files in the place of references to them."""
    if isinstance(schema, dict):
        reference = schema.get("$ref", "")
        other = dict(schema_of(reference.removesuffix(".schema.yaml"))) if reference.endswith(".schema.yaml") else {}
        # Where it names its dialect anew, jsonschema would go on with its own validator instead of this module's.
        other.pop("$schema", None)
        return {**other, **{key: _expanded(value) for key, value in schema.items() if not other or key != "$ref"}}
    return [_expanded(value) for value in schema] if isinstance(schema, list) else schema


def _validate(content: object, schema: dict, path: Path, inside: tuple[str, ...] = ()) -> None:
    """Raise on the most telling error; `inside` is the key under which `path` has `content`."""
    errors = [_in_alternative(error) for error in Validator(schema).iter_errors(content)]
    error = jsonschema.exceptions.best_match(errors)
    if error is None:
        return
    keys = [*inside, *error.absolute_path]
    if error.validator == "not":
        keys.append(error.instance)  # propertyNames judges the key itself
        error.message = f"{error.schema.get('refusal', 'the workflow sets it')}, so it may not be given"
    elif error.validator == "pattern" and "allowed" in error.schema:
        error.message = f"{error.instance!r} is not {error.schema['allowed']}"
    key = ".".join(map(str, keys)) or "the file"
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        unknown = next(name for name in error.instance if name not in known)
        inside = "" if key == "the file" else f" in {key}"
        raise InputError(f"{path}: unknown key {unknown!r}{inside}{_suggestion(str(unknown), known)}.")
    value = repr(error.instance)
    # A password in an address may not be shown, and half of one could not be told from anything else.
    shown = "its value" if "://" in value else _short(value)
    raise InputError(f"{path}: {key}: {error.message.replace(value, shown)}.")


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}...{text[-LONGEST // 4 :]}"


def _in_alternative(error: jsonschema.ValidationError) -> jsonschema.ValidationError:
    """For a `oneOf`, whose alternatives differ in `kind`: what is wrong in the alternative that was meant."""
    if error.validator != "oneOf":
        return error
    kinds = [alternative["properties"]["kind"]["const"] for alternative in error.validator_value]
    kind = error.instance.get("kind") if isinstance(error.instance, dict) else None
    if kind in kinds:
        meant = [inner for inner in error.context if inner.schema_path[0] == kinds.index(kind)]
        error = jsonschema.exceptions.best_match(meant)
        error.message += f" (kind {kind!r})"
    else:
        error.message = f"'kind' must be one of {', '.join(map(repr, kinds))}"
        error.context = []
    return error


def _suggestion(name: str, known) -> str:
    known = [str(entry) for entry in known]
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f" (did you mean {close[0]!r}?)"
    return f" (known: {', '.join(sorted(known))})" if known else ""


def _with_defaults(content, schema: dict):
    """A copy of `content` with every missing key that has a `default` in `schema` filled in, at every depth."""
    if isinstance(content, dict):
        for alternative in schema.get("oneOf", ()):
            if content["kind"] == alternative["properties"]["kind"]["const"]:
                schema = alternative
        properties = schema.get("properties", {})
        other = schema.get("additionalProperties")
        other = other if isinstance(other, dict) else {}
        filled = {key: _with_defaults(value, properties.get(key, other)) for key, value in content.items()}
        for key, subschema in properties.items():
            if key not in filled and "default" in subschema:
                filled[key] = _with_defaults(subschema["default"], subschema)
        return filled
    if isinstance(content, list):
        return [_with_defaults(value, schema.get("items", {})) for value in content]
    return content


def _check_references(experiment: Experiment, config_dir: Path, source: Path) -> None:
    """What a schema cannot see: whether the files of one experiment fit together."""
    wanted = experiment.settings["warmup"]["checkpoints"]
    epochs = experiment.training["warmup"].get("num_train_epochs", 3)
    if wanted > epochs:
        raise InputError(f"{source}: warmup.checkpoints: {wanted} are wanted, and the warm-up has {epochs} epochs.")
    _check_machines(experiment, source)
    for name in experiment.settings["seeds_of"]:
        if name not in experiment.methods:
            raise InputError(f"{source}: seeds_of: {name!r} is not among the methods.")
    for name, method in experiment.methods.items():
        _check_size(experiment, name, config_dir, source)
        if method.get("ratio") != 0 and not has_own_rule(name):
            module = METHODS / f"{implementation(name, method)}.py"
            _check_module(_path(config_dir, "method", name), "method", name, module)
        if experiment.encoder is None and any(need.endswith("embeddings") for need in method["needs"]):
            raise InputError(f"{source}: encoder: method {name!r} needs one, and none is named.")
        kept = experiment.settings["gradients"]["pool_kinds"]
        for need in method["needs"]:
            if need.startswith("pool_") and KINDS.get(need, kept[0]) not in kept:
                raise InputError(
                    f"{source}: gradients.pool_kinds: method {name!r} needs {KINDS[need]!r}, and only "
                    f"{' and '.join(map(repr, kept))} is kept."
                )
    if not experiment.settings["ratios"] and any("ratio" not in method for method in experiment.methods.values()):
        raise InputError(f"{source}: ratios: at least one is needed by the methods listed.")
    for name, model in experiment.models.items():
        _check_weights(_path(config_dir, "model", name), model["source"])
    if experiment.encoder:
        _check_weights(_path(config_dir, "encoder", experiment.settings["encoder"]), experiment.encoder["source"])
    for name, pool in experiment.pools.items():
        _check_rows(_path(config_dir, "pool", name), pool, ["rows"])
    for name, benchmark in experiment.benchmarks.items():
        path = _path(config_dir, "benchmark", name)
        _check_rows(path, benchmark, ["validation", "evaluation"])
        for metric in benchmark["metrics"]:
            if metric["task"] not in benchmark["harness"]:
                raise InputError(f"{path}: metrics: {metric['name']!r} is of {metric['task']!r}, which harness lacks.")
    for name, plan in experiment.tables.items():
        path = _path(config_dir, "table", name) if experiment.settings["tables"] else source
        table_plan.check(plan, experiment.settings, experiment.methods, path, experiment.name)
    _check_shares(experiment, source)
    wanted = [("pools", name, "rows", experiment.pools[name]) for name in experiment.pools]
    for name, target in experiment.benchmarks.items():
        wanted += [("targets", name, key, target) for key in ("validation_rows", "evaluation_rows")]
    for section, name, key, entry in wanted:
        count, tasks = experiment.settings[section][name][key], len(entry["tasks"])
        if entry["reader"] and count < tasks:
            raise InputError(f"{source}: {section}.{name}.{key}: {count} rows are too few for its {tasks} tasks.")


def _check_size(experiment: Experiment, name: str, config_dir: Path, source: Path) -> None:
    """Whether the method whose number of rows `name` takes is there, and chooses that number itself."""
    other = experiment.methods[name]["sized_like"]
    if other is None:
        return
    if other not in experiment.methods:
        raise InputError(f"{source}: methods: {name!r} chooses as many rows as {other!r}, which is not listed.")
    if experiment.methods[other]["sized_like"] or "ratio" in experiment.methods[other]:
        path = _path(config_dir, "method", name)
        raise InputError(f"{path}: sized_like: the number of rows of {other!r} is fixed, so it cannot be followed.")


def _check_shares(experiment: Experiment, source: Path) -> None:
    """Whether every pool has a row for each shard and each ratio, and enough for the warm-up."""
    settings = experiment.settings
    shards = settings["gradients"]["shards"]
    if isinstance(shards, dict) and shards.keys() != experiment.pools.keys():
        raise InputError(f"{source}: gradients.shards: a mapping has exactly the pools {', '.join(experiment.pools)}.")
    for name in experiment.pools:
        rows = settings["pools"][name]["rows"]
        wanted = {
            "warmup.rows": settings["warmup"]["rows"],
            "gradients.shards": shards[name] if isinstance(shards, dict) else shards,
        }
        for key, number in wanted.items():
            if number > rows:
                raise InputError(f"{source}: {key}: {number} are wanted, and pool {name!r} has {rows} rows.")
        for ratio in settings["ratios"]:
            if ratio * rows + 1e-9 < 1:
                raise InputError(f"{source}: ratios: {ratio:g} of the {rows} rows of pool {name!r} is no row.")


def _check_weights(path: Path, source: dict) -> None:
    """Raise where a pattern of a model's files admits another kind of file than `MODEL_FILES`."""
    for pattern in source["files"] if source["kind"] == "hub" else ():
        if not pattern.endswith(MODEL_FILES):
            raise InputError(f"{path}: source.files: {pattern!r} does not end in one of {', '.join(MODEL_FILES)}.")


def _check_rows(path: Path, entry: dict, blocks: list[str]) -> None:
    """Raise unless rows are made by a reader, or read from files in every one of `blocks`."""
    if entry["reader"]:
        _check_module(path, "reader", entry["reader"], POOLS / f"{method_module(entry['reader'])}.py")
        if not entry["tasks"]:
            raise InputError(f"{path}: tasks: the reader needs at least one.")
    for block in blocks:
        if bool(entry[block]) == bool(entry["reader"]):
            raise InputError(f"{path}: either 'reader' or {' and '.join(map(repr, blocks))} must say where rows are.")
    # Jobs whose environment has no Jinja import this module, too; Snakemake, which calls this, always has it.
    from instruction_selection import templates

    for block in (*blocks, "fewshot"):
        given = {key: entry[block][key] for key in templates.ROW} if entry.get(block) else {}
        for key, template in given.items():
            try:
                templates.compiled(template or "")
            except templates.NOT_COMPILED as error:
                raise InputError(f"{path}: {block}.{key}: not a Jinja template ({error.message}).") from error


def sources(kind: str, entry: dict) -> dict[str, dict]:
    """The `source` blocks of a model, encoder, pool or benchmark, by the key under which the file has them."""
    if kind in ("model", "encoder"):
        return {"source": entry["source"]}
    blocks = ("rows", "validation", "evaluation", "fewshot")
    return {block: entry[block]["source"] for block in blocks if entry.get(block)}


def _check_machines(experiment: Experiment, source: Path) -> None:
    """Whether the processes of a training, one per GPU, can share its batch."""
    gpus, nodes = (experiment.settings[key]["training"] for key in ("gpus", "nodes"))
    if nodes > 1 and not gpus:
        raise InputError(f"{source}: nodes.training: {nodes} nodes need GPUs, and gpus.training is 0.")
    settings = experiment.settings
    backends = {part["backend"] for part in (settings["evaluation"], *settings["targets"].values())}
    if "vllm" in backends and not settings["gpus"]["evaluation"]:
        raise InputError(f"{source}: evaluation: vLLM needs a GPU, and gpus.evaluation is 0.")
    for stage, arguments in experiment.training.items():
        try:
            training.accumulation_steps(arguments, max(1, gpus * nodes))
        except InputError as error:
            raise InputError(f"{source}: {stage}: {error} (gpus.training).") from None
        if "deepspeed" in arguments and not Path(arguments["deepspeed"]).is_file():
            raise InputError(f"{source}: {stage}: deepspeed: {arguments['deepspeed']} does not exist.")


def _check_module(path: Path, kind: str, name: str, module: Path) -> None:
    if not module.is_file():
        raise InputError(f"{path}: {kind} {name!r} has no implementation: {module} does not exist.")


def implementation(name: str, method: dict) -> str:
    """The module in `methods` that selects for a method; several may share one."""
    return method_module(method.get("implementation") or name)


def has_own_rule(method: str) -> bool:
    """Whether a method is selected by a rule of its own, in ``workflow/rules/methods``, and not by a Python module."""
    return (RULES / f"{method_module(method)}.smk").is_file()


def method_module(name: str) -> str:
    """`less-round-robin` is implemented in `methods/less_round_robin.py`; readers in `pools` likewise."""
    return name.replace("-", "_")
