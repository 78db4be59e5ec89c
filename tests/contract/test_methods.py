"""What every selection method keeps to. Methods are found by themselves: a new one is tested by being there."""

import ast
import dataclasses
import doctest
import importlib
import inspect
import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from pydantic import create_model

from instruction_selection import methods, selection
from instruction_selection.core import files
from instruction_selection.core.features import FEATURES
from instruction_selection.experiment import grid, load, own_rules, parameters
from instruction_selection.experiment.base import Section
from instruction_selection.experiment.method import Method
from instruction_selection.features import row_values
from instruction_selection.features.gradients import store
from instruction_selection.features.matrix import FeatureMatrix, InMemoryMatrix
from instruction_selection.selection import Inputs, Texts
from instruction_selection.selection import job as selection_job
from instruction_selection.selection.examples import Examples

CONFIG = Path(__file__).resolve().parents[2] / "config"
ENTRIES = {name: load.read_entry(CONFIG, Method, name) for name in load.names(CONFIG, Method)}
METHODS = [name for name, entry in ENTRIES.items() if entry.trained and not own_rules.exists(name)]
SELECTIVE = [name for name in METHODS if ENTRIES[name].ratio is None]
DETERMINISTIC = [name for name in METHODS if not ENTRIES[name].stochastic]
TARGETED = [name for name in SELECTIVE if name in DETERMINISTIC and grid.targeted(ENTRIES[name])]
ALL_CHECKPOINTS = [name for name in METHODS if ENTRIES[name].checkpoints == "all"]

DIMENSION = 64
PLANTED = 45


class Data:
    """A pool in which some rows point where some validation row points, in every kind of feature.

    Validation rows lie in a subspace of a few dimensions around a common direction, to either side of it: the sign of
    a principal component is arbitrary, and would else decide what G2IS as published finds. Pool gradients share a
    direction of their own, as Adam's momentum gives them.
    """

    def __init__(self, rows: int = 300, seed: int = 0):
        # Not the numbers that a method draws.
        rng = np.random.default_rng([seed, 1])
        self.planted = np.sort(rng.permutation(rows)[: min(PLANTED, rows // 5)])
        subspace = np.linalg.qr(rng.normal(size=(DIMENSION, 8)))[0].T
        coordinates = np.hstack([np.ones((16, 1)), 0.5 * rng.normal(size=(16, 7))])
        clean = coordinates @ subspace
        clean /= np.linalg.norm(clean, axis=1, keepdims=True)
        validation = (10 * clean + 0.1 * rng.normal(size=clean.shape)) * rng.uniform(1, 2, size=(16, 1))
        subtasks = np.repeat(["one", "two"], [6, 10])
        signal = np.zeros((rows, DIMENSION))
        signal[self.planted] = 12 * clean[rng.integers(16, size=len(self.planted))]
        noise, shared = rng.normal(size=(3, rows, DIMENSION)), rng.normal(size=DIMENSION)
        plain = signal + noise[0]
        lengths = rng.integers(10, 500, size=rows)
        some_losses = np.random.default_rng([seed, 3]).uniform(1, 3, size=(rows, 2)).astype(np.float32)
        texts = self._texts(lengths, np.random.default_rng([seed, 2]))
        self.features = {
            "pool_gradients": InMemoryMatrix.normalised(plain + shared),
            "pool_sgd_gradients": InMemoryMatrix.normalised(plain),
            "pool_embeddings": InMemoryMatrix.normalised(signal + noise[1]),
            "pool_hidden_states": InMemoryMatrix.normalised(signal + noise[2]),
            "pool_gradient_losses": some_losses[:, 0],
            "pool_losses": some_losses,
            "pool_lengths": lengths,
            "pool_text": Texts.of(texts),
            "validation_gradients": InMemoryMatrix.normalised(validation, subtasks),
            "validation_embeddings": InMemoryMatrix.normalised(validation, subtasks),
            "validation_hidden_states": InMemoryMatrix.normalised(validation, subtasks),
            "validation_lengths": lengths[self.planted][:16],
            "validation_text": Texts.of([texts[row] for row in np.resize(self.planted, 16)], subtasks),
        }
        self.rows = rows

    def _texts(self, lengths: np.ndarray, rng: np.random.Generator) -> list[tuple[str, str]]:
        """Instructions of twelve words, planted ones of other words; responses of some lengths."""
        planted = set(self.planted.tolist())
        words = [[f"{letter}{number}" for number in range(60)] for letter in "ab"]
        found = []
        for row, length in enumerate(lengths.tolist()):
            instruction = " ".join(rng.choice(words[row in planted], size=12))
            found.append((instruction, "x" * length))
        return found

    def inputs(self, method: str) -> Inputs:
        """What the method declares that it needs, and nothing else."""
        return Inputs.of(self.rows, **{need: self.features[need] for need in ENTRIES[method].needs})


def run(method: str, inputs: Inputs, budget: int, seed: int = 0) -> selection.Selection:
    entry = ENTRIES[method]
    return selection.run_method(entry.module(method), inputs, budget, entry.params, seed)


def budget_of(method: str, rows: int, ratio: float = 0.1) -> int:
    return int(rows * (ratio if ENTRIES[method].ratio is None else ENTRIES[method].ratio))


@pytest.fixture(scope="module")
def data() -> Data:
    return Data()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("rows", [40, 123])
@pytest.mark.parametrize("ratio", [0.03, 0.2, 0.9])
def test_select__rows_are_different_and_the_shortfall_is_reported(method, rows, ratio):
    data, budget = Data(rows), budget_of(method, rows, ratio)
    result = run(method, data.inputs(method), budget)
    assert result.indices.dtype == np.int64
    assert result.indices.ndim == 1
    assert len(np.unique(result.indices)) == len(result.indices) <= budget
    assert ((result.indices >= 0) & (result.indices < rows)).all()
    none = np.zeros(rows, np.int64)
    pool = Examples("pool.jsonl", [str(number) for number in range(rows)], ["t"] * rows, none, none)
    job = selection_job.Job(method, method, ratio, seed=0, params={}, pool=pool.path)
    summary = selection_job.summarised(job, pool, budget, result)
    assert summary["shortfall"] == budget - len(result.indices)


@pytest.mark.parametrize("method", METHODS)
def test_method__selects_the_same_rows_for_the_same_inputs_and_seed(method, data):
    budget = budget_of(method, data.rows)
    one, other = (run(method, data.inputs(method), budget, seed=3) for _ in range(2))
    assert one.indices.tolist() == other.indices.tolist()
    assert one.details == other.details


@pytest.mark.parametrize("method", [name for name in METHODS if ENTRIES[name].stochastic])
def test_method__draws_anew_for_another_seed_if_it_declares_so(method, data):
    one, other = (set(run(method, data.inputs(method), 30, seed).indices) for seed in range(2))
    assert one != other


@pytest.mark.parametrize("method", DETERMINISTIC)
def test_method__does_not_depend_on_the_order_of_the_pool(method, data):
    order = np.random.default_rng(1).permutation(data.rows)
    budget = budget_of(method, data.rows)
    plain = run(method, data.inputs(method), budget).indices
    shuffled = run(method, data.inputs(method).at(order), budget).indices
    assert set(order[shuffled]) == set(plain)


@pytest.mark.parametrize("method", METHODS)
def test_scores__if_there_are_any_tell_what_any_budget_selects(method, data):
    scores = run(method, data.inputs(method), 1, seed=3).scores
    if scores is None:
        # It chooses in steps, or by a budget.
        module = importlib.import_module(f"{methods.__name__}.{ENTRIES[method].module(method)}")
        assert not hasattr(module, "score")
        return
    order = [row for row in np.argsort(-scores, kind="stable") if not np.isnan(scores[row])]
    for budget in (1, 20, data.rows):
        assert run(method, data.inputs(method), budget, seed=3).indices.tolist() == order[:budget]


def with_earlier(inputs: Inputs, other: Inputs, weight: float) -> Inputs:
    """As if the gradients of `other` were those under an earlier checkpoint; both count `weight`."""
    checkpoints = (*other.checkpoints, *inputs.checkpoints)
    return dataclasses.replace(
        inputs, checkpoints=tuple(dataclasses.replace(checkpoint, weight=weight) for checkpoint in checkpoints)
    )


@pytest.mark.parametrize("method", ALL_CHECKPOINTS)
def test_checkpoints__count_by_the_ratio_of_their_weights_only(method, data):
    budget, last, other = budget_of(method, data.rows), data.inputs(method), Data(seed=5).inputs(method)
    both = run(method, with_earlier(last, other, 1.0), budget).indices
    assert set(both) != set(run(method, last, budget).indices)
    assert set(both) != set(run(method, other, budget).indices)
    assert both.tolist() == run(method, with_earlier(last, other, 2.0**-16), budget).indices.tolist()


def test_checkpoints__matter_only_to_methods_that_read_gradients():
    for method in ALL_CHECKPOINTS:
        assert any(FEATURES[need].per_checkpoint for need in ENTRIES[method].needs)


@pytest.mark.parametrize("method", TARGETED)
def test_method__finds_a_planted_signal_that_random_misses(method, data):
    budget = PLANTED // 3
    chosen = run(method, data.inputs(method), budget).indices
    by_chance = run("random", Inputs(data.rows), budget).indices
    assert np.isin(by_chance, data.planted).mean() < 0.35
    assert np.isin(chosen, data.planted).mean() > 0.7
    assert len(chosen) > budget / 2


@pytest.mark.parametrize("method", METHODS)
def test_method__holds_nothing_of_the_size_of_all_pairs(method):
    data = Data(rows=3000)
    inputs, budget = data.inputs(method), budget_of(method, data.rows, 0.01)
    run(method, inputs, budget)
    tracemalloc.start()
    try:
        run(method, inputs, budget)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    store_bytes = data.rows * DIMENSION * 4
    assert peak < 8 * store_bytes < data.rows**2


@pytest.mark.parametrize("method", METHODS)
def test_method__does_not_change_its_inputs(method, data):
    inputs = data.inputs(method)
    before = {need: content(getattr(inputs, need)).copy() for need in ENTRIES[method].needs}
    run(method, inputs, budget_of(method, data.rows))
    for need, values in before.items():
        assert np.array_equal(content(getattr(inputs, need)), values)


def content(values: FeatureMatrix | np.ndarray | Texts) -> np.ndarray:
    if isinstance(values, np.ndarray):
        return values
    return np.array([*values]) if isinstance(values, Texts) else values.unit


@pytest.mark.parametrize("method", ENTRIES)
def test_metadata__are_complete(method):
    entry = ENTRIES[method]
    assert entry.label
    assert entry.reference.rstrip(".")
    summary = entry.summary
    assert summary.endswith(".")
    assert ". " not in summary, "one sentence"
    labels = [other.label for other in ENTRIES.values()]
    assert labels.count(entry.label) == 1


@pytest.mark.parametrize("method", METHODS)
def test_parameters__are_explained_where_they_are_set(method):
    lines = (CONFIG / "methods" / f"{method}.yaml").read_text().splitlines()
    for name in ENTRIES[method].params:
        [number] = [number for number, line in enumerate(lines) if line.startswith(f"  {name}:")]
        assert lines[number - 1].startswith("  # "), name


@pytest.mark.parametrize("method", METHODS)
def test_parameters__are_declared_as_keyword_only_arguments(method):
    entry = ENTRIES[method]
    module = importlib.import_module(f"instruction_selection.methods.{entry.module(method)}")
    code, arguments = getattr(module, "score", None), ["inputs", "rng"]
    if code is None:
        code, arguments = module.select, ["inputs", "budget", "rng"]
    signature = inspect.signature(code).parameters
    assert list(signature)[: len(arguments)] == arguments
    own = {name: signature[name] for name in list(signature)[len(arguments) :]}
    assert {each.kind for each in own.values()} <= {inspect.Parameter.KEYWORD_ONLY}
    # What is read without importing is what importing gives.
    declared = parameters.declared(entry.code(method))
    imported = create_model(
        "Imported",
        __base__=Section,
        **{name: (each.annotation, ... if each.default is each.empty else each.default) for name, each in own.items()},
    )
    assert declared.model_json_schema() == {**imported.model_json_schema(), "title": declared.__name__}
    assert declared.model_validate(entry.params)


def test_module__is_a_method_with_a_docstring_and_one_entry_point():
    used = {ENTRIES[name].module(name) for name in METHODS}
    for path in Path(methods.__file__).parent.glob("[!_]*.py"):
        assert path.stem in used, f"{path.name} is named by no file of config/methods"
        module = importlib.import_module(f"instruction_selection.methods.{path.stem}")
        assert module.__doc__
        assert hasattr(module, "score") != hasattr(module, "select")
        imported = {
            alias
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ImportFrom)
            for alias in [node.module]
        }
        assert not any(name.startswith("instruction_selection.methods") for name in imported), "methods stand alone"


def test_documented_call__without_the_workflow_works():
    result = doctest.testmod(methods)
    assert result.attempted > 5
    assert result.failed == 0


class Files:
    """The features on disk, as the workflow has them. Pool rows 7 and 11 have no usable gradient."""

    UNUSABLE = (7, 11)

    def __init__(self, folder: Path, data: Data, shards: int):
        folder.mkdir()
        self.folder, features = folder, data.features
        self.losses = features["pool_gradient_losses"]
        self.pool = [
            {"id": f"{number:016d}", "task": "one", **text._asdict()}
            for number, text in enumerate(features["pool_text"])
        ]
        validation = [
            {"id": f"v{number:015d}", "task": str(task), **text._asdict()}
            for number, (task, text) in enumerate(
                zip(features["validation_gradients"].subtasks, features["validation_text"], strict=True)
            )
        ]
        files.write_jsonl(folder / "pool.jsonl", self.pool)
        files.write_jsonl(folder / "validation.jsonl", validation)
        kinds = {"adam": features["pool_gradients"], "sgd": features["pool_sgd_gradients"]}
        gradients = {kind: rows.unit * rows.norms[:, None] for kind, rows in kinds.items()}
        gradients["adam"][7], gradients["sgd"][11] = np.nan, 0
        parts = np.array_split(np.arange(data.rows), shards)
        names = [self._store(f"{n}.h5", self.pool, gradients, part) for n, part in enumerate(parts)]
        store.gather(names, folder / "pool.h5", data.rows)
        rows = features["validation_gradients"]
        self._store("validation.h5", validation, {"sgd": rows.unit * rows.norms[:, None]}, np.arange(len(validation)))
        row_values.write(
            folder / "pool_losses.h5", folder / "pool.jsonl", self.pool, "losses", features["pool_losses"], {}
        )
        for name in ("embeddings", "hidden_states"):
            self._embeddings(f"pool_{name}.h5", self.pool, features[f"pool_{name}"])
            self._embeddings(f"validation_{name}.h5", validation, features[f"validation_{name}"])

    def _store(self, name: str, rows: list[dict], gradients: dict, part: np.ndarray) -> Path:
        identity = dict.fromkeys(store.COMPARABLE[1:], "x")
        ids = [rows[number]["id"] for number in part]
        with store.Writer(self.folder / name, ids, DIMENSION, list(gradients), identity) as writer:
            values = {kind: value[part] for kind, value in gradients.items()}
            found = self.losses[part] if rows is self.pool else np.ones(len(part))
            writer.write(list(range(len(part))), values, found, [1] * len(part))
        return self.folder / name

    def _embeddings(self, name: str, rows: list[dict], features: FeatureMatrix) -> None:
        path = self.folder / ("pool.jsonl" if rows is self.pool else "validation.jsonl")
        row_values.write(self.folder / name, path, rows, "embedding", features.unit, {})

    def select(self, method: str, seed: int = 0, sized_like: str | None = None) -> tuple[list[str], dict]:
        entry = ENTRIES[method]
        stores = [need for need in entry.needs if FEATURES[need].per_checkpoint]
        paths = {
            need: [str(self.folder / f"{FEATURES[need].side if need in stores else need}.h5")] for need in entry.needs
        }
        last = {need: files for need, files in paths.items() if FEATURES[need].per_checkpoint}
        job = selection_job.Job(
            method=method,
            implementation=entry.module(method),
            ratio=0.1 if entry.ratio is None else entry.ratio,
            seed=seed,
            params=entry.params,
            pool=str(self.folder / "pool.jsonl"),
            validation=[str(self.folder / "validation.jsonl")],
            features={need: files for need, files in paths.items() if need not in last},
            checkpoints=[selection_job.CheckpointFiles(last)] if last else [],
            sized_like=sized_like,
        )
        pool, indices, summary = selection_job.select(job)
        return [pool.ids[index] for index in indices], summary


@pytest.fixture(scope="module")
def one_shard(tmp_path_factory, data) -> Files:
    return Files(tmp_path_factory.mktemp("stores") / "one", data, shards=1)


@pytest.fixture(scope="module")
def four_shards(tmp_path_factory, data) -> Files:
    return Files(tmp_path_factory.mktemp("stores") / "four", data, shards=4)


@pytest.mark.parametrize("method", METHODS)
def test_method__does_not_depend_on_the_number_of_shards(method, one_shard, four_shards):
    (ids, summary), (others, other_summary) = one_shard.select(method), four_shards.select(method)
    assert ids == others
    assert summary["details"] == other_summary["details"]


@pytest.mark.parametrize("method", [name for name in METHODS if ENTRIES[name].sized_like])
def test_size_control__has_as_many_rows_as_the_method_it_follows_and_draws_anew_for_every_seed(
    method, one_shard, tmp_path
):
    _, followed = one_shard.select(ENTRIES[method].sized_like)
    # Fewer than the budget, as where components choose the same rows.
    for selected in (followed["selected"], 11):
        files.write_json(tmp_path / "selection.json", {**followed, "selected": selected})
        drawn = [one_shard.select(method, seed, str(tmp_path / "selection.json")) for seed in range(3)]
        assert {len(ids) for ids, _ in drawn} == {selected}
        assert {summary["shortfall"] for _, summary in drawn} == {0}
        assert len({frozenset(ids) for ids, _ in drawn}) == 3


@pytest.mark.parametrize("method", METHODS)
def test_method__never_chooses_rows_without_a_usable_gradient_and_counts_them(method, one_shard):
    ids, summary = one_shard.select(method)
    reads_gradients = any(FEATURES[need].rule == "pool_gradients" for need in ENTRIES[method].needs)
    assert summary["not_selectable"] == (len(Files.UNUSABLE) if reads_gradients else 0)
    if reads_gradients:
        assert not set(ids) & {one_shard.pool[number]["id"] for number in Files.UNUSABLE}
    assert summary["selected"] == len(ids) == summary["budget"] - summary["shortfall"]


@pytest.mark.parametrize("method", METHODS)
def test_summary__is_json_with_rows_by_their_ids(method, one_shard):
    ids, summary = one_shard.select(method)
    summary = json.loads(json.dumps(summary, allow_nan=False))
    pool = {row["id"] for row in one_shard.pool}
    for parts in summary["details"].values():
        for part in parts if isinstance(parts, list) else []:
            assert part["budget"] >= 0
            if part.get("anchor") is not None:
                assert part["anchor"] in pool
    reads_gradients = any(FEATURES[need].per_checkpoint for need in ENTRIES[method].needs)
    assert summary["checkpoints"] == ([{"weight": 1.0}] if reads_gradients else [])
    for need, about in summary["stores"].items():
        if FEATURES[need].form == "rows":
            assert 0 <= about["negative_cosines"] <= 1
            assert about["sampled_pairs"] > 0, need
