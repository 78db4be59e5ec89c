"""From feature files to chosen rows."""

import numpy as np
import pytest
from support.rejections import rejected

from instruction_selection import selection
from instruction_selection.core import code, files
from instruction_selection.data import sampling
from instruction_selection.features.gradients import store
from instruction_selection.features.matrix import Hdf5Matrix, InMemoryMatrix
from instruction_selection.selection import Inputs
from instruction_selection.selection import job as selection_job
from instruction_selection.selection.algorithms.similarity import best_subtask_mean, weighted_best_subtask_mean
from instruction_selection.selection.job import CheckpointFiles, Job

DIMENSION = 8
IDENTITY = {
    **dict.fromkeys(
        ["model", "adapter", "moments", "rows", "parameters", "template", "cutoff_len", "precision", "code"], "x"
    ),
    "projection": {"kind": "sjlt", "dimension": DIMENSION, "seed": 0},
}


def write_store(path, ids, gradients, kind, **identity):
    with store.Writer(path, ids, DIMENSION, [kind], {**IDENTITY, **identity}) as writer:
        rows = list(range(len(ids)))
        writer.write(rows, {kind: gradients}, np.ones(len(ids)), [1] * len(ids))
    return str(path)


@pytest.fixture
def case(tmp_path):
    """A pool of 20 rows, of which row 7 is NaN and row 3 zero, and 4 validation rows of two subtasks."""
    rng = np.random.default_rng(0)
    pool = [{"id": f"{n:016d}", "task": f"task{n % 3}", "instruction": str(n), "response": "r"} for n in range(20)]
    validation = [
        {"id": f"v{n:015d}", "task": f"task{n // 2}", "instruction": str(n), "response": "r"} for n in range(4)
    ]
    gradients = rng.normal(size=(20, DIMENSION)).astype(np.float32)
    gradients[7], gradients[3] = np.nan, 0
    paths = {
        "pool": str(tmp_path / "pool.jsonl"),
        "validation": [str(tmp_path / "validation.jsonl")],
        "gradients": {
            "pool_gradients": [write_store(tmp_path / "pool.h5", [row["id"] for row in pool], gradients, "adam")],
            "validation_gradients": [
                write_store(
                    tmp_path / "validation.h5",
                    [row["id"] for row in validation],
                    rng.normal(size=(4, DIMENSION)).astype(np.float32),
                    "sgd",
                )
            ],
        },
    }
    files.write_jsonl(paths["pool"], pool)
    files.write_jsonl(paths["validation"][0], validation)
    return paths


G2IS = {"variance": 0.5, "delta": 0.8}


def select(case, method, ratio, params=None, seed=0, **changes):
    """The chosen ids, and the summary; `gradients` of a case are under the last checkpoint."""
    case = {**case, "implementation": method, **changes}
    case.setdefault("checkpoints", [CheckpointFiles(case["gradients"])])
    del case["gradients"]
    pool, indices, summary = selection_job.select(Job(method, ratio=ratio, seed=seed, params=params or {}, **case))
    return [pool.ids[index] for index in indices], summary


@pytest.mark.parametrize(("method", "params"), [("less", {}), ("g2is", G2IS), ("random", {}), ("full", {})])
@pytest.mark.parametrize("ratio", [0.1, 0.29, 1.0])
def test_select__unusable_rows_are_counted_and_not_selected(case, method, params, ratio):
    chosen, summary = select(case, method, ratio, params, seed=0)
    ids = [int(name) for name in chosen]
    assert len(set(ids)) == len(ids)
    assert not {3, 7} & set(ids)
    assert summary["not_selectable"] == 2
    assert summary["budget"] == int(20 * ratio + 1e-9)
    assert summary["selected"] == len(ids) == summary["budget"] - summary["shortfall"]
    assert sum(summary["tasks"].values()) == len(ids)
    if method != "g2is":
        assert len(ids) == min(summary["budget"], 18)


TAGCOS = {"clusters": 3, "penalty": 1e-3, "tolerance": 1e-4, "corrected": True}


@pytest.mark.parametrize(("method", "params"), [("less", {}), ("g2is", G2IS), ("tagcos", TAGCOS)])
def test_select__same_rows_on_a_device(case, method, params, monkeypatch):
    used, on = [], Hdf5Matrix.on
    monkeypatch.setattr(Hdf5Matrix, "on", lambda matrix, device: used.append(device) or on(matrix, device))
    chosen, summary = select(case, method, 0.5, params)
    assert set(used) == {None}
    assert select(case, method, 0.5, params, device="cpu") == (chosen, summary)
    assert "cpu" in used


def test_rows__come_in_order_of_score(case):
    chosen, _ = select(case, "less", 0.5, {}, seed=0)
    pool = store.Reader(case["gradients"]["pool_gradients"][0])
    validation = store.Reader(case["gradients"]["validation_gradients"][0])
    subtasks = np.array(["task0", "task0", "task1", "task1"])
    scores = best_subtask_mean(pool.unit("adam"), validation.unit("sgd"), subtasks)
    order = [scores[int(name)] for name in chosen]
    assert order == sorted(order, reverse=True)


def test_select__a_pool_with_a_duplicate_row_is_gathered_and_selected_from(case, tmp_path):
    rng = np.random.default_rng(1)
    source = tmp_path / "source.jsonl"
    files.write_jsonl(source, [{"q": f"{n // 2}"} for n in range(10)])
    layout = {"member": None, "columns": None, "key": None, "draw": "by_task", "overlap_text": None}
    layout |= {"control_tokens": "drop", "task": "t", "instruction": "{{q}}", "response": "r"}
    files.write_jsonl(case["pool"], sampling.draw(layout, [source], 10, seed=0))
    ids = [row["id"] for row in files.read_jsonl(case["pool"])]
    assert len(set(ids)) == 10
    shards = [
        write_store(tmp_path / f"{n}.h5", part, rng.normal(size=(len(part), DIMENSION)).astype(np.float32), "adam")
        for n, part in enumerate((ids[:1], ids[1:]))
    ]
    store.gather(shards, tmp_path / "gathered.h5", 10)
    case["gradients"]["pool_gradients"] = [str(tmp_path / "gathered.h5")]
    chosen, _ = select(case, "less", 1.0)
    assert sorted(chosen) == sorted(ids)


def test_ratio__of_no_row_is_rejected(case):
    with rejected("ratio-selects-none", path=case["pool"]):
        select(case, "random", 0.01, {}, seed=0)


def test_control__has_as_many_rows_as_another_selection_and_the_first_of_a_random_draw(case, tmp_path):
    g2is, summary = select(case, "g2is", 0.5, G2IS, seed=0)
    files.write_json(tmp_path / "selection.json", summary)
    case = {**case, "checkpoints": []}
    for seed in range(3):
        control, about = select(
            case, "sized", 0.5, seed=seed, implementation="random", sized_like=str(tmp_path / "selection.json")
        )
        drawn, _ = select(case, "random", 0.5, {}, seed=seed)
        assert control == drawn[: len(g2is)]
        assert about["selected"] == about["budget"] == summary["selected"]
        assert about["sized_like"] == str(tmp_path / "selection.json")
    assert select(case, "random", 0.5, {}, seed=0)[1]["sized_like"] is None


def test_store_of_other_rows__is_rejected(case, tmp_path):
    rows = files.read_jsonl(case["pool"])
    files.write_jsonl(case["pool"], rows[::-1])
    with rejected("features-of-other-examples", path=tmp_path / "pool.h5"):
        select(case, "less", 0.5, {}, seed=0)


def test_stores_of_two_models__are_rejected(case, tmp_path):
    ids = [row["id"] for row in files.read_jsonl(case["validation"][0])]
    case["gradients"]["validation_gradients"] = [
        write_store(tmp_path / "other.h5", ids, np.ones((4, DIMENSION), np.float32), "sgd", model="another")
    ]
    with rejected("stores-not-comparable", key="model"):
        select(case, "less", 0.5, {}, seed=0)


def test_target__without_usable_rows_is_rejected(case, tmp_path):
    ids = [row["id"] for row in files.read_jsonl(case["validation"][0])]
    case["gradients"]["validation_gradients"] = [
        write_store(tmp_path / "nan.h5", ids, np.full((4, DIMENSION), np.nan, np.float32), "sgd")
    ]
    with rejected("no-usable-validation-example", path=tmp_path / "nan.h5"):
        select(case, "less", 0.5, {}, seed=0)


@pytest.fixture
def earlier(case, tmp_path):
    """Another checkpoint of the same rows, under which pool row 5 is not finite."""
    rng = np.random.default_rng(1)
    pool = rng.normal(size=(20, DIMENSION)).astype(np.float32)
    pool[5] = np.inf
    validation = rng.normal(size=(4, DIMENSION)).astype(np.float32)
    ids = [row["id"] for row in files.read_jsonl(case["pool"])]
    also = [row["id"] for row in files.read_jsonl(case["validation"][0])]
    return {
        "pool_gradients": [write_store(tmp_path / "early-pool.h5", ids, pool, "adam", adapter="early")],
        "validation_gradients": [
            write_store(tmp_path / "early-validation.h5", also, validation, "sgd", adapter="early")
        ],
    }


def best(scores, unusable):
    """The better half of 20 rows."""
    usable = np.setdiff1d(np.arange(20), unusable)
    return usable[np.argsort(-scores[usable], kind="stable")][:10].tolist()


def test_checkpoints__count_as_their_learning_rates_say(case, earlier, tmp_path):
    rates = [3e-5, 1e-5]
    about = [
        {"mean_learning_rate": rate, "step": step, "second_moments_below_epsilon": 0.0}
        for step, rate in enumerate(rates)
    ]
    files.write_json(tmp_path / "checkpoints.json", {"checkpoints": about})
    checkpoints = selection_job.checkpoint_files([earlier, case["gradients"]], tmp_path / "checkpoints.json")
    chosen, summary = select(case, "less", 0.5, checkpoints=checkpoints)
    stores = [earlier, case["gradients"]]
    pools = [store.Reader(paths["pool_gradients"][0]).unit("adam") for paths in stores]
    targets = [store.Reader(paths["validation_gradients"][0]).unit("sgd") for paths in stores]
    scores = weighted_best_subtask_mean(pools, targets, rates, np.array(["task0", "task0", "task1", "task1"]))
    assert [int(name) for name in chosen] == best(scores, [3, 5, 7])
    assert summary["not_selectable"] == 3
    assert [checkpoint["weight"] for checkpoint in summary["checkpoints"]] == pytest.approx([0.75, 0.25])
    assert [checkpoint["step"] for checkpoint in summary["checkpoints"]] == [0, 1]
    alone, _ = select(case, "less", 0.5, {}, seed=0)
    assert alone != chosen


def test_stores_of_two_checkpoints__are_not_mixed(case, earlier):
    case["gradients"]["validation_gradients"] = earlier["validation_gradients"]
    with rejected("stores-not-comparable", key="adapter"):
        select(case, "less", 0.5, {}, seed=0)


def test_joint_target__is_both_sets_of_validation_rows_with_their_own_subtasks(case, tmp_path):
    ids = [f"w{n:015d}" for n in range(3)]
    # Its subtask is called as one of the first target's.
    other = [{"id": name, "task": "task0", "instruction": name, "response": "r"} for name in ids]
    (tmp_path / "other").mkdir()
    files.write_jsonl(tmp_path / "other" / "validation.jsonl", other)
    gradients = np.random.default_rng(2).normal(size=(3, DIMENSION)).astype(np.float32)
    case["validation"].append(str(tmp_path / "other" / "validation.jsonl"))
    case["gradients"]["validation_gradients"].append(write_store(tmp_path / "other.h5", ids, gradients, "sgd"))
    chosen, _ = select(case, "less", 0.5, {}, seed=0)
    pool = store.Reader(case["gradients"]["pool_gradients"][0]).unit("adam")
    targets = [store.Reader(path).unit("sgd") for path in case["gradients"]["validation_gradients"]]
    scores = best_subtask_mean(pool, np.concatenate(targets), np.array(["a", "a", "b", "b", "c", "c", "c"]))
    assert [int(name) for name in chosen] == best(scores, [3, 7])


def test_less__is_the_maximum_over_subtasks_of_means_over_rows():
    rng = np.random.default_rng(0)
    pool, validation = rng.normal(size=(9, 5)).astype("f4"), rng.normal(size=(6, 5)).astype("f4")
    subtasks = np.array(["a", "b", "a", "c", "a", "b"])
    scores = best_subtask_mean(pool, validation, subtasks)
    for row in range(9):
        means = [np.mean([pool[row] @ validation[j] for j in range(6) if subtasks[j] == name]) for name in "abc"]
        assert scores[row] == pytest.approx(max(means), rel=1e-5)


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def planted_signal(sign: int) -> tuple[Inputs, set[int]]:
    """A tenth of the pool points where the validation rows point, in the presence of a direction that all share.

    scikit-learn turns a principal component so that its largest coordinate is positive; so does the signal, times
    `sign`.
    """
    rng = np.random.default_rng(0)
    shared, signal = rng.normal(size=(2, 64))
    signal *= sign * np.sign(signal[np.argmax(np.abs(signal))])
    pool = shared + rng.normal(size=(300, 64))
    planted = rng.permutation(300)[:30]
    pool[planted] += 3 * signal
    validation = np.linspace(1, 3, 12)[:, None] * signal + 0.3 * rng.normal(size=(12, 64))
    inputs = Inputs.of(
        300,
        pool_gradients=InMemoryMatrix(unit(pool), np.linalg.norm(pool, axis=1)),
        validation_gradients=InMemoryMatrix(
            unit(validation), np.linalg.norm(validation, axis=1), np.repeat("task", 12)
        ),
    )
    return inputs, set(planted)


@pytest.mark.parametrize(
    ("method", "params", "sign"),
    [
        ("less", {}, 1),
        ("less", {}, -1),
        ("g2is", G2IS, 1),
        ("g2is_robust", {**G2IS, "centred": False}, 1),
        ("g2is_robust", {**G2IS, "centred": False}, -1),
    ],
)
def test_job__finds_a_planted_signal(method, params, sign):
    inputs, planted = planted_signal(sign)
    found = planted & set(selection.run_method(method, inputs, 30, params, seed=0).indices)
    by_chance = planted & set(selection.run_method("random", inputs, 30, {}, seed=0).indices)
    assert len(by_chance) < 10 < 24 <= len(found)


def test_g2is_as_published__misses_a_signal_whose_component_is_negated():
    """A weakness of the paper's method that the sign of a principal component has no meaning; not one of this code."""
    inputs, planted = planted_signal(-1)
    assert not planted & set(selection.run_method("g2is", inputs, 30, G2IS, seed=0).indices)


def test_rows__that_cannot_be_used_are_kept_from_a_method_on_arrays_too():
    rng = np.random.default_rng(0)
    pool, target = rng.normal(size=(20, 6)), rng.normal(size=(4, 6))
    pool[3], pool[5], target[1] = np.nan, 0, np.inf
    inputs = Inputs.of(
        20,
        pool_gradients=InMemoryMatrix.normalised(pool),
        validation_gradients=InMemoryMatrix.normalised(target, ["a", "a", "b", "b"]),
    )
    assert np.flatnonzero(~inputs.usable()).tolist() == [3, 5]
    left = np.setdiff1d(np.arange(20), [3, 5])
    without = Inputs.of(
        18,
        pool_gradients=InMemoryMatrix.normalised(pool[left]),
        validation_gradients=InMemoryMatrix.normalised(target[[0, 2, 3]], ["a", "b", "b"]),
    )
    for method, params in (("less", {}), ("g2is", G2IS)):
        result, expected = (selection.run_method(method, given, 18, params, 0) for given in (inputs, without))
        assert result.indices.tolist() == left[expected.indices].tolist()
    [anchor] = {component["anchor"] for component in result.details["components"][:1]}
    assert anchor == result.indices[0]


def test_target__whose_rows_are_all_unusable_is_rejected_on_arrays_too():
    inputs = Inputs.of(
        2,
        pool_gradients=InMemoryMatrix.normalised(np.eye(2)),
        validation_gradients=InMemoryMatrix.normalised(np.zeros((3, 2))),
    )
    with rejected("no-usable-validation-example"):
        selection.run_method("less", inputs, 1, {}, 0)


def test_share_of_negative_cosines__is_of_all_pairs_of_usable_rows():
    rows = np.array([[1.0, 0.0], [-1.0, 0.0], [0.5, 0.1], [np.nan, 0.0]])
    summary = selection_job.negative_cosines(InMemoryMatrix.normalised(rows))
    assert summary == {"sampled_pairs": 3, "negative_cosines": pytest.approx(2 / 3)}


def test_share_of_negative_cosines__is_sampled_from_many_rows_and_reproducible():
    rows = InMemoryMatrix.normalised(np.random.default_rng(0).normal(size=(3000, 8)))
    summary = selection_job.negative_cosines(rows)
    assert summary["sampled_pairs"] == selection_job.SAMPLED_ROWS * (selection_job.SAMPLED_ROWS - 1) // 2
    assert summary["negative_cosines"] == pytest.approx(0.5, abs=0.02)
    assert selection_job.negative_cosines(rows) == summary


def test_selection__of_nothing_is_rejected(case, monkeypatch):
    from instruction_selection.methods import full

    monkeypatch.setattr(full, "select", lambda *arguments: selection.Selection(np.array([], dtype=int)))
    with rejected("nothing-selected", key="full"):
        select(case, "full", 0.5, {}, seed=0)


@pytest.mark.parametrize("count", [1, 5, 100])
def test_nearest_neighbours__of_a_row_are_others_by_similarity(monkeypatch, count):
    from instruction_selection.features import matrix
    from instruction_selection.methods import g2is_official

    monkeypatch.setattr(matrix, "BLOCK", 7)
    rows = unit(np.random.default_rng(0).normal(size=(30, 8))[[*range(28), 3, 3]])
    graph = g2is_official.nearest(InMemoryMatrix(rows), count, queries_per_pass=11)
    assert graph.shape == (30, min(count, 29))
    for row, neighbours in enumerate(graph):
        assert row not in neighbours
        cosines = rows @ rows[row]
        expected = np.sort(np.delete(cosines, row))[::-1][: len(neighbours)]
        assert cosines[neighbours] == pytest.approx(expected, abs=1e-6)


def test_method__that_breaks_the_contract_is_stopped(monkeypatch):
    from instruction_selection.methods import full, less

    monkeypatch.setattr(full, "select", lambda *arguments: selection.Selection(np.array([1, 1])))
    with pytest.raises(ValueError, match="full"):
        selection.run_method("full", Inputs(5), 2, {}, 0)
    monkeypatch.setattr(less, "score", lambda *arguments: np.array([1.0, np.nan]))
    with pytest.raises(ValueError, match="less"):
        selection.run_method("less", Inputs(2), 1, {}, 0)


def test_inputs__a_feature_that_was_not_declared_is_named():
    inputs = Inputs.of(2, pool_gradients=InMemoryMatrix.normalised(np.eye(2)))
    for name in ("pool_embeddings", "validation_gradients"):
        with pytest.raises(AttributeError, match=name):
            getattr(inputs, name)
    with pytest.raises(AttributeError, match="validation_gradients"):
        _ = inputs.checkpoints[0].validation_gradients
    assert inputs.pool_gradients is inputs.checkpoints[-1].pool_gradients


def test_execute__writes_the_chosen_lines_of_the_pool_and_their_digest(case, tmp_path):
    checkpoints = [CheckpointFiles(case["gradients"])]
    job = Job("less", "less", 0.5, 0, {}, case["pool"], case["validation"], checkpoints=checkpoints)
    selection_job.execute(job, tmp_path, code={"selection.job": "abc"})
    ids, summary = select(case, "less", 0.5)
    rows = {row["id"]: row for row in files.read_jsonl(case["pool"])}
    assert files.read_jsonl(tmp_path / "selected.jsonl") == [rows[name] for name in ids]
    written = files.read_json(tmp_path / "selection.json")
    assert written["sha256"] == files.sha256(tmp_path / "selected.jsonl")
    made_with = {"method": {"params": {}}, "ratio": 0.5, "seed": 0, "features": None}
    assert written["provenance"]["parameters"] == made_with
    assert written["provenance"]["code"] == code.digest({"selection.job": "abc"})
    assert {key: written[key] for key in summary} == summary
