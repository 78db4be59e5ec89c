"""Whether the files of one experiment fit together: what the type of a single file cannot see."""

import csv
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from instruction_selection.core.entry_names import names_of_modules, parts
from instruction_selection.core.errors import InputError
from instruction_selection.core.features import FEATURES
from instruction_selection.core.ratios import selected_count
from instruction_selection.experiment import grid, load, method, own_rules, parameters, programs, published
from instruction_selection.experiment.base import Entry
from instruction_selection.experiment.benchmark import Benchmark
from instruction_selection.experiment.checked import Checked
from instruction_selection.experiment.experiment import Experiment
from instruction_selection.experiment.folders import Folders
from instruction_selection.experiment.method import Method
from instruction_selection.experiment.model import Model
from instruction_selection.experiment.pool import Pool
from instruction_selection.experiment.suggestions import closest


def check(experiment: Experiment, folders: Folders) -> None:
    """Raise `InputError` for the first rule that is broken."""
    checked = Checked(experiment, folders)
    for rule in RULES:
        rule(checked)


def checkpoints_are_epochs(checked: Checked) -> None:
    wanted, epochs = checked.settings.warmup.checkpoints, checked.experiment.training["warmup"].num_train_epochs
    if wanted > epochs:
        sentence = f"{wanted} checkpoints are more than the warm-up's {epochs} epochs"
        raise InputError("too-many-checkpoints", sentence, path=checked.file, key="warmup.checkpoints")


def nodes_have_gpus(checked: Checked) -> None:
    if checked.settings.nodes.training > 1 and not checked.settings.gpus.training:
        sentence = f"{checked.settings.nodes.training} nodes need GPUs, and gpus.training is 0"
        raise InputError("nodes-without-gpus", sentence, path=checked.file, key="nodes.training")


def card_is_of_gpus(checked: Checked) -> None:
    if checked.settings.gpus.card and not checked.settings.gpus.by_stage():
        sentence = "a card is named, and no stage has a GPU; set gpus.training, gpus.gradients or others, or remove it"
        raise InputError("card-without-gpus", sentence, path=checked.file, key="gpus.card")


def vllm_has_a_gpu(checked: Checked) -> None:
    backends = {
        "evaluation.backend": checked.settings.evaluation.backend,
        **{f"targets.{name}.backend": target.backend for name, target in checked.settings.targets.items()},
    }
    for key, backend in backends.items():
        if backend == "vllm" and not checked.settings.gpus.evaluation:
            sentence = "vLLM needs a GPU, and gpus.evaluation is 0"
            raise InputError("vllm-without-gpu", sentence, path=checked.file, key=key)


def processes_share_the_batch(checked: Checked) -> None:
    processes = max(1, checked.settings.gpus.training * checked.settings.nodes.training)
    for stage, training in checked.experiment.training.items():
        if training.effective_batch % (training.per_device_train_batch_size * processes):
            sentence = (
                f"an effective batch of {training.effective_batch} rows ({stage}) cannot be shared by {processes} "
                f"processes of {training.per_device_train_batch_size} rows each"
            )
            raise InputError("indivisible-batch", sentence, path=checked.file, key="gpus.training")


def deepspeed_files_exist(checked: Checked) -> None:
    for stage, training in checked.experiment.training.items():
        if training.deepspeed is not None and not Path(training.deepspeed).is_file():
            sentence = f"{training.deepspeed} does not exist"
            raise InputError("no-deepspeed-file", sentence, path=checked.file, key=f"{stage}.training.deepspeed")


def seeds_are_of_methods(checked: Checked) -> None:
    for name in checked.settings.seeds_of:
        if name not in checked.experiment.methods:
            sentence = f"{name!r} is not among the methods"
            raise InputError("seeds-of-no-method", sentence, path=checked.file, key=f"seeds_of.{name}")


def labels_are_different(checked: Checked) -> None:
    """In a table, a label stands for an entry."""
    experiment = checked.experiment
    kinds: dict[type[Entry], Mapping[str, Any]] = {
        **{Model: experiment.models, Pool: experiment.pools},
        **{Benchmark: experiment.benchmarks, Method: experiment.methods},
    }
    for kind, entries in kinds.items():
        first: dict[str, str] = {}
        for name, entry in entries.items():
            if first.setdefault(entry.label, name) != name:
                sentence = f"{entry.label!r} is the label of {first[entry.label]!r} as well"
                raise InputError("duplicate-label", sentence, path=checked.path(kind, name), key="label")


def methods_have_code(checked: Checked) -> None:
    for name, entry in checked.experiment.methods.items():
        module = method.MODULES / f"{entry.module(name)}.py"
        if entry.trained and not own_rules.exists(name) and not module.is_file():
            hint = closest(entry.implementation or name, names_of_modules(method.MODULES))
            sentence = f"method {name!r} has no implementation: {module} does not exist{hint}"
            key = "implementation" if entry.implementation else None
            raise InputError("method-without-code", sentence, path=checked.path(Method, name), key=key)


def methods_have_their_parameters(checked: Checked) -> None:
    for name, entry in checked.experiment.methods.items():
        kind = parameters.declared(entry.code(name))
        load.parse(kind, dict(entry.params), checked.path(Method, name), "params")


def methods_of_the_size_of_another_have_it(checked: Checked) -> None:
    methods = checked.experiment.methods
    for name, entry in methods.items():
        other = methods.get(entry.sized_like or "")
        if entry.sized_like and not other:
            sentence = f"{name!r} chooses as many rows as {entry.sized_like!r}, which is not listed"
            raise InputError("sized-like-no-method", sentence, path=checked.file, key="methods")
        if other and (other.sized_like or other.ratio is not None):
            sentence = f"the number of rows of {entry.sized_like!r} is fixed, so it cannot be followed"
            raise InputError("sized-like-fixed", sentence, path=checked.path(Method, name), key="sized_like")


def methods_have_an_encoder(checked: Checked) -> None:
    for name, entry in checked.experiment.methods.items():
        if checked.experiment.encoder is None and any(FEATURES[need].made_by == "encoder" for need in entry.needs):
            sentence = f"method {name!r} needs an encoder, and none is named"
            raise InputError("no-encoder", sentence, path=checked.file, key="encoder")


def methods_have_enough_validation_rows(checked: Checked) -> None:
    targets = checked.settings.targets
    for name, entry in checked.experiment.methods.items():
        for target in grid.targets(checked.experiment):
            wanted = [targets[part].validation_rows for part in parts(target)]
            # Of files that are read to their end, the number is not known yet.
            rows = math.inf if "all" in wanted else sum(each for each in wanted if isinstance(each, int))
            if rows < entry.least_validation_rows:
                sentence = f"method {name!r} needs at least {entry.least_validation_rows} validation rows, not {rows}"
                key = f"targets.{parts(target)[0]}.validation_rows"
                raise InputError("too-few-validation-rows", sentence, path=checked.file, key=key)


def methods_have_their_gradients(checked: Checked) -> None:
    kept = checked.settings.gradients.pool_kinds
    for name, entry in checked.experiment.methods.items():
        for need in entry.needs:
            feature = FEATURES[need]
            if (feature.side, feature.reader) == ("pool", "gradient_store") and feature.dataset not in kept:
                sentence = (
                    f"method {name!r} needs {feature.dataset!r}, and only {', '.join(map(repr, kept))} is kept; add it"
                )
                raise InputError("gradients-not-kept", sentence, path=checked.file, key="gradients.pool_kinds")


def methods_have_ratios(checked: Checked) -> None:
    for name, entry in checked.experiment.methods.items():
        if entry.ratio is None and not checked.settings.ratios:
            sentence = f"method {name!r} needs at least one"
            raise InputError("no-ratio", sentence, path=checked.file, key="ratios")


def readers_have_a_row_per_task(checked: Checked) -> None:
    settings = checked.settings
    wanted: list[tuple[str, int | Literal["all"], Pool | Benchmark]] = []
    for name, pool in checked.experiment.pools.items():
        wanted.append((f"pools.{name}.rows", settings.pools[name].rows, pool))
    for name, benchmark in checked.experiment.benchmarks.items():
        target = settings.targets[name]
        wanted.append((f"targets.{name}.validation_rows", target.validation_rows, benchmark))
        if target.evaluation_rows is not None:
            wanted.append((f"targets.{name}.evaluation_rows", target.evaluation_rows, benchmark))
    for key, rows, entry in wanted:
        if entry.reader and rows == "all":
            raise InputError("all-of-a-reader", "a reader makes as many rows as wanted", path=checked.file, key=key)
        if entry.reader and rows != "all" and rows < len(entry.tasks):
            sentence = f"{rows} rows are too few for {len(entry.tasks)} tasks"
            raise InputError("fewer-rows-than-tasks", sentence, path=checked.file, key=key)


def evaluated_targets_have_a_harness(checked: Checked) -> None:
    for name, target in checked.settings.targets.items():
        if target.evaluation_rows is not None and not checked.experiment.benchmarks[name].harness:
            sentence = f"benchmark {name!r} has no harness, so it can only be selected for; remove this key"
            raise InputError("no-harness", sentence, path=checked.file, key=f"targets.{name}.evaluation_rows")


def shards_are_of_the_pools(checked: Checked) -> None:
    shards = checked.settings.gradients.shards
    if isinstance(shards, dict) and shards.keys() != checked.experiment.pools.keys():
        sentence = f"a mapping must have exactly the pools {', '.join(checked.experiment.pools)}"
        raise InputError("shards-of-other-pools", sentence, path=checked.file, key="gradients.shards")


def pools_have_enough_rows(checked: Checked) -> None:
    """For the warm-up, for every shard, and for every ratio."""
    gradients = checked.settings.gradients
    for name, pool in checked.settings.pools.items():
        if pool.rows == "all":
            # Known when they have been read; the jobs look at them.
            continue
        for key, wanted in {
            "warmup.rows": checked.settings.warmup.rows,
            "gradients.shards": gradients.shards_of(name),
        }.items():
            if wanted > pool.rows:
                sentence = f"{wanted} are more than the {pool.rows} rows of pool {name!r}"
                raise InputError("pool-too-small", sentence, path=checked.file, key=key)
        for ratio in checked.settings.ratios:
            if selected_count(ratio, pool.rows) > pool.rows:
                sentence = f"{ratio:g} rows are more than the {pool.rows} rows of pool {name!r}"
                raise InputError("count-exceeds-pool", sentence, path=checked.file, key="ratios")
            if selected_count(ratio, pool.rows) < 1:
                sentence = f"{ratio:g} of the {pool.rows} rows of pool {name!r} selects none; raise either"
                raise InputError("ratio-selects-none", sentence, path=checked.file, key="ratios")


def tables_show_what_is_computed(checked: Checked) -> None:
    for name, plan in checked.experiment.tables.items():
        benchmarks = tuple(part for target in plan.targets for part in parts(target))
        listed: dict[str, tuple[tuple, tuple]] = {
            "models": (plan.models, checked.settings.models),
            "pools": (plan.pools, tuple(checked.settings.pools)),
            "targets": (benchmarks, tuple(checked.settings.targets)),
            "methods": (plan.methods, checked.settings.methods),
            "ratios": (plan.ratios, checked.settings.ratios),
        }
        for key, (shown, computed) in listed.items():
            for entry in shown:
                if entry not in computed:
                    sentence = f"experiment {checked.experiment.name!r} has no {entry!r}"
                    raise InputError("not-in-experiment", sentence, path=checked.table_path(name), key=key)


def tables_name_a_target_once(checked: Checked) -> None:
    for name, plan in checked.experiment.tables.items():
        joined = [tuple(sorted(parts(target))) for target in plan.targets]
        for target, benchmarks in zip(plan.targets, joined, strict=True):
            if len(set(benchmarks)) < len(benchmarks) or joined.count(benchmarks) > 1:
                sentence = f"the parts of {target!r} are listed twice"
                raise InputError("duplicate-target", sentence, path=checked.table_path(name), key="targets")


def tables_of_a_target_have_one(checked: Checked) -> None:
    for name, plan in checked.experiment.tables.items():
        if plan.kind == "target" and len([part for target in plan.targets for part in parts(target)]) != 1:
            sentence = "a table of kind 'target' has one target, which is not joint"
            raise InputError("several-targets", sentence, path=checked.table_path(name), key="targets")


def tables_compare_with_their_methods(checked: Checked) -> None:
    for name, plan in checked.experiment.tables.items():
        for key, other in {"baseline": plan.baseline, "relative_to": plan.relative_to}.items():
            if other is not None and other not in plan.methods:
                sentence = f"{other!r} is not among the table's methods"
                raise InputError("not-in-table", sentence, path=checked.table_path(name), key=key)


def tables_with_a_parameter_have_its_values(checked: Checked) -> None:
    for name, plan in checked.experiment.tables.items():
        if plan.parameter is None:
            continue
        path = checked.table_path(name)
        if len(plan.ratios) != 1:
            sentence = "with a parameter on its axis, a figure shows one ratio"
            raise InputError("several-ratios", sentence, path=path, key="ratios")
        for other in plan.methods:
            if not isinstance(checked.experiment.methods[other].params.get(plan.parameter), int | float):
                sentence = f"method {other!r} has no number {plan.parameter!r}"
                raise InputError("no-such-parameter", sentence, path=path, key="parameter")


def published_numbers_can_be_read(checked: Checked) -> None:
    for reported in {plan.reported for plan in checked.experiment.tables.values()} - {None}:
        try:
            published.read(str(reported))
        except (UnicodeDecodeError, csv.Error) as error:
            raise InputError("not-csv", f"not a CSV file in UTF-8 ({error})", path=reported) from error


#: In the order in which they are checked.
RULES: tuple[Callable[[Checked], None], ...] = (
    checkpoints_are_epochs,
    nodes_have_gpus,
    card_is_of_gpus,
    vllm_has_a_gpu,
    processes_share_the_batch,
    deepspeed_files_exist,
    seeds_are_of_methods,
    labels_are_different,
    methods_have_code,
    methods_have_their_parameters,
    methods_of_the_size_of_another_have_it,
    methods_have_an_encoder,
    methods_have_their_gradients,
    methods_have_ratios,
    *programs.RULES,
    readers_have_a_row_per_task,
    evaluated_targets_have_a_harness,
    tables_show_what_is_computed,
    tables_name_a_target_once,
    tables_of_a_target_have_one,
    tables_compare_with_their_methods,
    tables_with_a_parameter_have_its_values,
    published_numbers_can_be_read,
    methods_have_enough_validation_rows,
    shards_are_of_the_pools,
    pools_have_enough_rows,
)
