"""Read an experiment: its file in ``config/experiments``, and every file that it names.

Each kind of file is a folder under ``config/`` in which one file is one entry. Everything that can be known to be wrong
before a job starts raises `InputError` here, with the file and the key.
"""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from instruction_selection.core.entry_names import ANY, NAME
from instruction_selection.core.errors import InputError
from instruction_selection.experiment import draws, parameters, plan, sentences, yaml_loader
from instruction_selection.experiment.base import Entry, Section
from instruction_selection.experiment.benchmark import Benchmark
from instruction_selection.experiment.experiment import Experiment, Stage
from instruction_selection.experiment.folders import Folders
from instruction_selection.experiment.method import Method
from instruction_selection.experiment.model import Encoder, Model
from instruction_selection.experiment.pool import Pool
from instruction_selection.experiment.settings import Settings
from instruction_selection.experiment.suggestions import did_you_mean
from instruction_selection.experiment.table import Table
from instruction_selection.experiment.training import Training

E = TypeVar("E", bound=Entry)
S = TypeVar("S", bound=Section)


def load(config: str | Path | Folders, name: str, draw: int | None = None) -> Experiment:
    """Read experiments/`name`.yaml of `config` and every file that it names; with `draw`, that draw of it."""
    from instruction_selection.experiment import checks

    folders = Folders.of(config)
    settings = read_entry(folders, Settings, name)
    source = path_of(folders, Settings, name)
    if draw is not None:
        settings = draws.settings_of(settings, draw)

    def entries(kind: type[E], names: Any) -> dict[str, E]:
        return {each: read_entry(folders, kind, each, named_in=source) for each in names}

    benchmarks = entries(Benchmark, settings.targets)
    experiment = Experiment(
        name=name,
        settings=settings,
        models=entries(Model, settings.models),
        encoder=read_entry(folders, Encoder, settings.encoder, named_in=source) if settings.encoder else None,
        pools=entries(Pool, settings.pools),
        benchmarks=benchmarks,
        methods={name: _filled_in(name, entry) for name, entry in entries(Method, settings.methods).items()},
        training=_stages(entries(Training, ("warmup", "finetune")), settings, source, folders),
        tables=_tables(entries(Table, settings.tables), folders, settings, benchmarks),
        draw=draw,
    )
    checks.check(experiment, folders)
    return experiment


def read_entry(config: str | Path | Folders, kind: type[E], name: str, named_in: Path | None = None) -> E:
    """One config file; `named_in` is the file that names it, to which a wrong name is a mistake."""
    path = path_of(config, kind, name)
    noun = kind.noun()
    if name == ANY:
        raise InputError("reserved-name", f"{noun} {name!r}: this name is reserved", path=named_in)
    if not isinstance(name, str) or not NAME.fullmatch(name):
        allowed = "up to 100 of a-z, 0-9 and, after the first, also '.', '_', '-'"
        raise InputError("not-a-name", f"{noun} {sentences.shown(name)}: names consist of {allowed}", path=named_in)
    if path.is_dir():
        raise InputError("not-a-file", f"{noun} {name!r} has to be a file, and this is a folder", path=path)
    if not path.is_file():
        hint = did_you_mean(name, names(config, kind))
        raise InputError(f"unknown-{noun}", f"no {noun} {name!r}: {path} does not exist{hint}", path=named_in)
    content = yaml_loader.read(path)
    return parse(kind, {} if content is None else content, path)


def parse(kind: type[S], content: Any, path: Path, inside: str | None = None) -> S:
    """`content` of the file `path`, or of its key `inside`, with its type; `InputError` for the first mistake in it."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise sentences.input_error(error, content, path, inside) from None


def path_of(config: str | Path | Folders, kind: type[Entry], name: str) -> Path:
    return Folders.of(config).path(f"{kind.FOLDER}/{name}.yaml")


def names(config: str | Path | Folders, kind: type[Entry]) -> list[str]:
    """The entries of a kind that have a file."""
    return [path.stem for path in Folders.of(config).files(kind.FOLDER)]


def _filled_in(name: str, entry: Method) -> Method:
    """With the defaults of its code for the parameters that are not given, so that results record all of them."""
    fields = parameters.declared(entry.code(name)).model_fields
    defaults = {key: field.default for key, field in fields.items() if not field.is_required()}
    return entry.model_copy(update={"params": {**defaults, **entry.params}})


def _stages(files: dict[str, Training], settings: Settings, source: Path, folders: Folders) -> dict[Stage, Training]:
    """Each stage's file with the experiment's own arguments over it."""
    own: dict[Stage, Any] = {"warmup": settings.warmup.training.plain(), "finetune": settings.finetune.training.plain()}
    merged = {stage: {**files[stage].plain(), **own[stage]} for stage in own}
    if settings.gradients.parameters == "full":
        adapter = [key for key in merged["warmup"] if key.startswith("lora_")]
        merged["warmup"] = {**merged["warmup"], "finetuning_type": "full"}
        for key in adapter:
            del merged["warmup"][key]
    for arguments in merged.values():
        if isinstance(file := arguments.get("deepspeed"), str):
            arguments["deepspeed"] = str(folders.found(file))
    return {stage: parse(Training, merged[stage], source, f"{stage}.training") for stage in own}


def _tables(
    tables: dict[str, Table], folders: Folders, settings: Settings, benchmarks: dict[str, Benchmark]
) -> dict[str, plan.Plan]:
    tables = tables or {name: plan.of_target(name, benchmark) for name, benchmark in benchmarks.items()}
    return {
        name: plan.filled(
            table, settings, folders.path(f"tables/reported/{table.reported}") if table.reported else None
        )
        for name, table in tables.items()
    }
