"""Whether the programs behind the jobs know what a configuration names: modules, templates, layers, lm-eval's tasks."""

from collections.abc import Callable, Iterator
from pathlib import Path

from instruction_selection.core.entry_names import module_name, names_of_modules
from instruction_selection.core.errors import InputError
from instruction_selection.experiment import lm_eval, program_names
from instruction_selection.experiment.base import Entry
from instruction_selection.experiment.benchmark import Benchmark, HarnessTask
from instruction_selection.experiment.checked import Checked
from instruction_selection.experiment.experiment import Stage
from instruction_selection.experiment.model import Model
from instruction_selection.experiment.pool import Pool
from instruction_selection.experiment.sources import RandomWeights
from instruction_selection.experiment.suggestions import closest, did_you_mean
from instruction_selection.experiment.training import Training

#: One Python file per reader.
READERS = Path(__file__).resolve().parents[1] / "data" / "readers"


def readers_have_code(checked: Checked) -> None:
    for kind, name, entry in _entries_with_readers(checked):
        module = READERS / f"{module_name(entry.reader or '')}.py"
        if not module.is_file():
            hint = closest(entry.reader or "", names_of_modules(READERS))
            sentence = f"reader {entry.reader!r} has no implementation: {module} does not exist{hint}"
            raise InputError("reader-without-code", sentence, path=checked.path(kind, name), key="reader")


def readers_have_their_tasks(checked: Checked) -> None:
    for kind, name, entry in _entries_with_readers(checked):
        generators = program_names.names()["generators"].get((entry.reader or "").replace("_", "-"))
        for number, task in enumerate(entry.tasks):
            if generators is not None and task not in generators:
                sentence = f"reader {entry.reader!r} has no generator {task!r}{did_you_mean(task, generators)}"
                path = checked.path(kind, name)
                raise InputError("unknown-generator", sentence, path=path, key=f"tasks.{number}")


def _entries_with_readers(checked: Checked) -> Iterator[tuple[type[Entry], str, Pool | Benchmark]]:
    for kind, entries in ((Pool, checked.experiment.pools), (Benchmark, checked.experiment.benchmarks)):
        yield from ((kind, name, entry) for name, entry in entries.items() if entry.reader)


def templates_exist(checked: Checked) -> None:
    templates = program_names.names()["templates"]
    for name, model in checked.experiment.models.items():
        if model.template not in templates:
            sentence = f"LLaMA-Factory has no template {model.template!r}{did_you_mean(model.template, templates)}"
            raise InputError("unknown-template", sentence, path=checked.path(Model, name), key="template")


def architectures_exist(checked: Checked) -> None:
    architectures = program_names.names()["model_types"]
    for name, model in checked.experiment.models.items():
        if isinstance(model.source, RandomWeights):
            given = str(model.source.config.get("model_type", ""))
            if given not in architectures:
                sentence = f"transformers has no causal language model {given!r}{did_you_mean(given, architectures)}"
                path, key = checked.path(Model, name), "source.config.model_type"
                raise InputError("unknown-architecture", sentence, path=path, key=key)


def layers_exist(checked: Checked) -> None:
    """LoRA ignores the name of a layer that a model does not have, as long as it has another one that is named."""
    for stage, training in checked.experiment.training.items():
        for name, model in checked.experiment.models.items():
            layers = _layers(model)
            for target in training.adapted_layers():
                # The end of a layer's path is enough, and a number is its place in a list of layers.
                last = target.split(".")[-1]
                if target != "all" and not last.isdecimal() and last not in layers:
                    sentence = f"model {name!r} has no layer {target!r}{did_you_mean(last, layers)}"
                    path, key = _place(checked, stage, "lora_target")
                    raise InputError("unknown-layer", sentence, path=path, key=key)


def _layers(model: Model) -> set[str]:
    """The names that layers of a model may have: of its architecture or, before its weights are fetched, of any."""
    layers, architectures = program_names.names()["layers"], program_names.names()["model_types"]
    if isinstance(model.source, RandomWeights):
        found = layers.get(architectures[str(model.source.config["model_type"])])
        if found:
            return set(found)
    return set().union(*layers.values())


def _place(checked: Checked, stage: Stage, key: str) -> tuple[Path, str]:
    """The file that sets an argument of a stage's training, and its key there."""
    own = {"warmup": checked.settings.warmup, "finetune": checked.settings.finetune}[stage]
    if key in own.training.plain():
        return checked.file, f"{stage}.training.{key}"
    return checked.path(Training, stage), key


def harness_tasks_give_their_metrics(checked: Checked) -> None:
    """As far as lm-eval is installed here; without it, a task that includes one of its files is left to the jobs."""
    for name, benchmark in checked.experiment.benchmarks.items():
        path = checked.path(Benchmark, name)
        for entry, task in benchmark.harness.items():
            keys = _task(benchmark, entry, task, path)
            if keys is None:
                continue
            given, filters = lm_eval.metrics(keys), lm_eval.filters(keys)
            for number, metric in enumerate(benchmark.metrics):
                wanted, key = metric.metric or metric.name, "metric" if metric.metric else "name"
                if metric.task == entry and wanted not in given:
                    sentence = f"task {entry!r} gives no {wanted!r}{did_you_mean(wanted, given)}"
                    raise InputError("metric-not-given", sentence, path=path, key=f"metrics.{number}.{key}")
                if metric.task == entry and metric.filter not in filters:
                    sentence = f"task {entry!r} has no filter {metric.filter!r}{did_you_mean(metric.filter, filters)}"
                    raise InputError("metric-not-given", sentence, path=path, key=f"metrics.{number}.filter")


def _task(benchmark: Benchmark, entry: str, task: HarnessTask, path: Path) -> dict | None:
    """All keys of a task of lm-eval, or None if they cannot be known here."""
    if task.include is None:
        included = {}
    elif lm_eval.installed():
        included = lm_eval.included(task.include, benchmark.tasks)
        if included is None:
            sentence = f"lm-eval has no task file {task.include}"
            raise InputError("no-harness-task", sentence, path=path, key=f"harness.{entry}.include")
    else:
        return None
    allowed = {*program_names.names()["metrics"], *lm_eval.metrics(included)}
    for number, metric in enumerate(task.metric_list or ()):
        if metric.metric not in allowed:
            sentence = f"lm-eval has no metric {metric.metric!r}{did_you_mean(metric.metric, allowed)}"
            key = f"harness.{entry}.metric_list.{number}.metric"
            raise InputError("unknown-metric", sentence, path=path, key=key)
    return {**included, **task.plain()}


RULES: tuple[Callable[[Checked], None], ...] = (
    readers_have_code,
    readers_have_their_tasks,
    templates_exist,
    architectures_exist,
    layers_exist,
    harness_tasks_give_their_metrics,
)
