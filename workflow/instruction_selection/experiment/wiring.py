"""Which files a job reads, from its wildcards: the cells of the grid, joined to the paths of results.

`wildcards` are Snakemake's, or anything that has its names as attributes and as keys.
"""

import itertools
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any, Protocol

from instruction_selection.core import code, entry_names, shards
from instruction_selection.core.entry_names import module_name
from instruction_selection.core.features import FEATURES, Feature
from instruction_selection.data import hub
from instruction_selection.experiment import grid, own_rules
from instruction_selection.experiment.base import Section
from instruction_selection.experiment.benchmark import Benchmark
from instruction_selection.experiment.decides import Decisions
from instruction_selection.experiment.experiment import Experiment
from instruction_selection.experiment.method import Method
from instruction_selection.experiment.paths import Layout
from instruction_selection.experiment.pool import Pool

TABLE_FORMATS = ("md", "csv", "tex")
FIGURE_FORMATS = ("svg", "png")
#: Rules that decide what is in a pool's gradient store, and their scripts.
BEHIND_GRADIENTS = {
    "prepare_model": "prepare_model",
    "sample_pool": "sample_pool",
    "sample_warmup": "sample_warmup",
    "warmup": "warmup",
    "pool_gradients": "gradients",
}
#: Files by the name of the feature.
Files = dict[str, list[str]]


class Wildcards(Protocol):
    def __getattr__(self, name: str, /) -> str: ...

    def __getitem__(self, name: str, /) -> str: ...


def expand(patterns: str | list[str], **values: Any) -> list[str]:
    """Every pattern with every combination of the values that it names; other wildcards stay open."""
    found = []
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        names = [name for name in values if f"{{{name}}}" in pattern]
        lists = [[values[name]] if isinstance(values[name], str | int) else values[name] for name in names]
        for combination in itertools.product(*lists):
            text = pattern
            for name, value in zip(names, combination, strict=True):
                text = text.replace(f"{{{name}}}", str(value))
            found.append(text)
    return found


def shown(entries: Mapping[str, Section], *keys: str) -> dict[str, dict[str, Any]]:
    """What a table says of models, benchmarks or methods."""
    return {name: entry.plain(*keys) for name, entry in entries.items()}


def unique(values: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys(values))


class Wiring:
    """An experiment's files, by wildcards."""

    def __init__(self, experiment: Experiment):
        self.experiment = experiment
        self.settings = experiment.settings
        self.paths = Layout(experiment.folder)
        self.decisions = Decisions(experiment)
        self.hub = self.settings.hub.cache
        self.manifest = f"{self.hub}/manifests/{{kind}}/{{entry}}.json"
        #: Entries whose files may be public, by kind and name.
        self.public = {
            "model": self.experiment.models,
            "encoder": {self.settings.encoder: self.experiment.encoder} if self.experiment.encoder else {},
            "pool": self.experiment.pools,
            "benchmark": self.experiment.benchmarks,
        }
        #: Of the warm-up, by number; the last one is its end.
        self.checkpoints = range(1, self.settings.warmup.checkpoints + 1)
        # Thousands of selections read the same few stores.
        self._shards: dict[tuple[str, str, str], int] = {}
        self._behind_gradients: dict[tuple[str, str], str] = {}

    def sources_of(self, kind: str, entry: str) -> dict[str, dict[str, Any]]:
        sources = self.public[kind][entry].sources()
        return {name: source.plain() for name, source in sources.items()}

    def manifest_of(self, kind: str, entry: str) -> list[str]:
        """[what lists the fetched files of a model, encoder, pool or benchmark], or [] if it has nothing to fetch."""
        path = self.manifest.format(kind=kind, entry=entry)
        return [path] if hub.fetched(self.sources_of(kind, entry)) else []

    def fetched_sources(self, kind: str, entry: str) -> dict[str, dict[str, Any]]:
        """What decides which files `fetch` gets for an entry."""
        return {name: source.all_inputs() for name, source in self.public[kind][entry].sources().items()}

    @staticmethod
    def reader_code(entry: Pool | Benchmark) -> list[str]:
        """[the module that makes the examples of a pool or a benchmark], or [] if they are read from files."""
        return [f"data.readers.{module_name(entry.reader)}"] if entry.reader else []

    @property
    def encoder_batch_size(self) -> int | None:
        return self.experiment.encoder and self.experiment.encoder.batch_size

    def public_files(self) -> list[str]:
        """All manifests that the experiment needs."""
        return [
            manifest
            for kind, entries in self.public.items()
            for entry in entries
            for manifest in self.manifest_of(kind, entry)
        ]

    def adapted_layers(self) -> list[str]:
        """The layers that any training gives an adapter, by the ends of their names."""
        return sorted({name for training in self.experiment.training.values() for name in training.adapted_layers()})

    def method_of(self, wildcards: Wildcards) -> Method:
        return self.experiment.methods[wildcards.method]

    def implementation_of(self, wildcards: Wildcards) -> str | None:
        """The module of the library that selects; None if a rule of the method's own does."""
        name = wildcards.method
        return None if own_rules.exists(name) else self.method_of(wildcards).module(name)

    def cell_of(self, wildcards: Wildcards) -> grid.Cell:
        return grid.Cell.of(wildcards)

    def fixed_features(self, wildcards: Wildcards) -> Files:
        """Files of the features that do not depend on the warm-up."""
        needed = [feature for feature in self._needed(wildcards) if not feature.per_checkpoint]
        return self._files(wildcards, needed)

    def checkpoint_features(self, wildcards: Wildcards) -> list[Files]:
        """For each checkpoint that the method reads, oldest first, the files of its features."""
        needed = [feature for feature in self._needed(wildcards) if feature.per_checkpoint]
        if not needed:
            return []
        return [self._files(wildcards, needed, checkpoint) for checkpoint in self._checkpoints(wildcards)]

    def features_made_with(self, wildcards: Wildcards) -> dict[str, Any]:
        """What the stores that a method reads must say of themselves, as far as the experiment says it."""
        uses_model = grid.uses_model(self.method_of(wildcards))
        return self.made_with(self._needed(wildcards), wildcards.model if uses_model else None)

    def made_with(self, features: Iterable[Feature], model: str | None) -> dict[str, Any]:
        """What the stores of these features must say of themselves; `model` is None if they depend on none."""
        needed = list(features)
        expected: dict[str, Any] = {}
        if any(feature.per_checkpoint for feature in needed):
            expected |= self.settings.gradients.inputs("projection", "precision")
        if model is not None:
            expected["template"] = self.experiment.models[model].template
            expected["cutoff_len"] = self.settings.cutoff_len
        encoder = self.experiment.encoder
        if encoder and any(feature.made_by == "encoder" for feature in needed):
            expected["encoder"] = encoder.inputs("source")
        return expected

    def selection_inputs(self, wildcards: Wildcards) -> dict[str, str | list[str]]:
        """All that a selection reads in addition to its pool; keys are the names of the rule's inputs."""
        inputs = self.method_inputs(wildcards)
        if own_rules.exists(wildcards.method):
            inputs["chosen"] = self.paths.chosen.format(**self.cell_of(wildcards).wildcards())
        return inputs

    def method_inputs(self, wildcards: Wildcards) -> dict[str, str | list[str]]:
        """All that a method reads in addition to its pool, for a rule of its own as well."""
        needed, checkpoints = self._needed(wildcards), self.checkpoint_features(wildcards)
        files = [self.fixed_features(wildcards), *checkpoints]
        inputs: dict[str, str | list[str]] = {
            "features": unique(path for features in files for found in features.values() for path in found)
        }
        if checkpoints:
            inputs["checkpoints"] = self.paths.warmup_checkpoints.format(model=wildcards.model, pool=wildcards.pool)
        if any(feature.rule == "pool_gradients" for feature in needed):
            # The gathered store holds no data of its own.
            inputs["shards"] = [
                shard
                for checkpoint in self._checkpoints(wildcards)
                for shard in self.pool_shards(wildcards, checkpoint)
            ]
        if grid.targeted(self.method_of(wildcards)):
            parts = entry_names.parts(wildcards.target)
            inputs["validation"] = [self.paths.validation.format(target=part) for part in parts]
            inputs["sampled_targets"] = [self.paths.target_summary.format(target=part) for part in parts]
        if followed := grid.size_of(self.experiment, self.cell_of(wildcards)):
            inputs["sized_like"] = self.paths.selection.format(**followed.wildcards())
        return inputs

    def pool_shards(self, wildcards: Wildcards, checkpoint: int | str) -> list[str]:
        """The files that a pool's gradients under one checkpoint are gathered from."""
        named = {"model": wildcards.model, "pool": wildcards.pool, "checkpoint": checkpoint}
        count = self.shard_count(wildcards, checkpoint)
        return [self.paths.pool_shard.format(shard=shard, **named) for shard in range(count)]

    def shard_count(self, wildcards: Wildcards, checkpoint: int | str) -> int:
        """The number of shards of a pool's gradients: that of the finished ones, or else the experiment's."""
        key = (wildcards.model, wildcards.pool, str(checkpoint))
        if key not in self._shards:
            named = {"model": wildcards.model, "pool": wildcards.pool, "checkpoint": checkpoint}
            folder = PurePosixPath(self.paths.pool_shard.format(shard=0, **named)).parent
            begun = shards.recorded(str(folder), self.behind_gradients(wildcards))
            self._shards[key] = begun or self.settings.gradients.shards_of(wildcards.pool)
        return self._shards[key]

    def behind_gradients(self, wildcards: Wildcards) -> str:
        """A digest of all settings and code that decide what is in a pool's gradient store."""
        model, pool = wildcards.model, wildcards.pool
        if (model, pool) not in self._behind_gradients:
            reader = self.reader_code(self.experiment.pools[pool])
            decides = {
                rule: [
                    self.decisions.of_job(rule, {"model": model, "pool": pool}),
                    code.of_job(code.SCRIPTS / f"{script}.py", *(reader if rule == "sample_pool" else [])),
                ]
                for rule, script in BEHIND_GRADIENTS.items()
            }
            self._behind_gradients[model, pool] = shards.digest(decides)
        return self._behind_gradients[model, pool]

    def _needed(self, wildcards: Wildcards) -> list[Feature]:
        return [FEATURES[name] for name in self.method_of(wildcards).needs]

    def _checkpoints(self, wildcards: Wildcards) -> range:
        """Numbers of those that a method reads; the last is the end of the warm-up."""
        last = self.settings.warmup.checkpoints
        return range(1 if self.method_of(wildcards).checkpoints == "all" else last, last + 1)

    def _files(
        self,
        wildcards: Wildcards,
        features: Iterable[Feature],
        checkpoint: int | None = None,
    ) -> Files:
        named = {
            "model": wildcards.model,
            "pool": wildcards.pool,
            "encoder": self.settings.encoder,
            "checkpoint": checkpoint,
        }
        return {
            feature.name: [
                self.paths.feature(feature.name).format(target=part, **named)
                for part in (
                    entry_names.parts(wildcards.target) if feature.side == "validation" else [wildcards.target]
                )
            ]
            for feature in features
        }

    def selected_rows(self, wildcards: Wildcards) -> str:
        """The selection that a run trains on; runs share one where it does not depend on model, target or seed."""
        selection = grid.selection_of(self.experiment, self.cell_of(wildcards))
        return self.paths.selected.format(**selection.wildcards())

    def selected_summary(self, wildcards: Wildcards) -> str:
        """What records the rows of `selected_rows`."""
        selection = grid.selection_of(self.experiment, self.cell_of(wildcards))
        return self.paths.selection.format(**selection.wildcards())

    def trained_adapter(self, wildcards: Wildcards) -> list[str]:
        return [self.paths.adapter] if self.method_of(wildcards).trained else []

    def table_cells(self, table: str) -> list[tuple[dict[str, str], str, str, str | None, str | None]]:
        """For each score of a table: what it is of, and the paths of its evaluation and its samples, and of the
        summaries of its selection and its training, which are None for the untuned model."""
        rows = []
        for score in grid.scores(self.experiment, self.experiment.tables[table]):
            names = score.cell.wildcards()
            selection = training = None
            if self.experiment.methods[score.cell.method].trained:
                selection = self.paths.selection.format(**grid.selection_of(self.experiment, score.cell).wildcards())
                training = self.paths.training_summary.format(**names)
            rows.append(
                (
                    {**names, "shown_for": score.target, "benchmark": score.benchmark},
                    self.paths.evaluation.format(benchmark=score.benchmark, **names),
                    self.paths.samples.format(benchmark=score.benchmark, **names),
                    selection,
                    training,
                )
            )
        return rows

    def table_inputs(self, wildcards: Wildcards) -> dict[str, list[str]]:
        rows = self.table_cells(wildcards.table)
        plan = self.experiment.tables[wildcards.table]
        return {
            "evaluations": unique(evaluation for _, evaluation, *_ in rows),
            "samples": unique(samples for _, _, samples, *_ in rows),
            "selections": unique(selection for *_, selection, _ in rows if selection),
            "trainings": unique(training for *_, training in rows if training),
            "pools": expand(self.paths.pool_summary, pool=plan.pools),
            "overlap": expand(
                self.paths.overlap,
                pool=plan.pools,
                target=unique(cell["benchmark"] for cell, *_ in rows),
            ),
            "reported": [plan.reported] if plan.reported else [],
        }

    def shown_entries(self) -> dict[str, dict[str, dict[str, Any]]]:
        """What a table says of the entries that it names."""
        method_keys = ("label", "params", "ratio", "checkpoints", "published_checkpoints")
        return {
            "benchmarks": shown(self.experiment.benchmarks, "label", "tasks", "metrics"),
            "methods": shown(self.experiment.methods, *method_keys),
            "models": shown(self.experiment.models, "label"),
        }

    def files_of(self, table: str | list[str]) -> list[str]:
        return expand(self.paths.table, table=table, format=TABLE_FORMATS) + expand(
            self.paths.figure, table=table, format=FIGURE_FORMATS
        )
