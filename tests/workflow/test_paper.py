"""The paper's whole grid, planned and not run: every job once, and not one more."""

import resource

import pytest
from support.checkout import Checkout

from instruction_selection.experiment import load

#: Fine-tunes of Figure 3 beyond those of Table 1: 4 shares, 3 models, 2 targets.
FIGURE3 = 24
#: The paper has no controls. Random: 3 models, 3 pools, 2 ratios, 5 draws; and 3 untuned models; on 5 benchmarks.
DRAWS = 3 * 3 * 2 * 5
CONTROLS = 5 * (DRAWS + 3)
PAPER = ["table1", "table2", "table3", "figure1", "figure3"]


@pytest.fixture(scope="module")
def checkout(repository) -> Checkout:
    """The working tree itself: a dry run writes no results."""
    return Checkout(repository)


@pytest.fixture(scope="module")
def checkpoints(repository) -> int:
    """LESS reads gradients under each; G2IS those under the last."""
    return load.load(repository / "config", "paper").settings.warmup.checkpoints


@pytest.fixture(scope="module")
def plan(checkout):
    def plan(*tables: str) -> dict[str, int]:
        return checkout.planned("paper", *tables, "--forceall", "--nolock")

    return plan


def processor_seconds() -> float:
    """Of child processes, so that other work on this machine does not count."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_tables__and_figures_need_every_job_once(plan, checkpoints):
    start = processor_seconds()
    jobs = plan()
    # An idle laptop takes 10 s.
    assert processor_seconds() - start < 60
    expected = {
        "warmup": 9,
        "gather_pool_gradients": 9 * checkpoints,
        "validation_gradients": 45 * checkpoints,
        "finetune": 435 + FIGURE3 + DRAWS,
        "evaluate_with_vllm": 507 + FIGURE3 + CONTROLS,
        "table": 7,
        "shared_rows": 6,
        "pool_embeddings": 3,
        "validation_embeddings": 5,
        # 3 models and 3 pools, in 64 + 8 + 8 parts.
        "pool_gradients": 240 * checkpoints,
        # All data: one selection per pool. Sentence-BERT: 3 pools, 5 targets, 2 ratios, and 2 pools, a joint target,
        # 2 ratios. LESS and G2IS: the same for each of 3 models. Without graph: 3 models, 2 pools, 5 targets, 2 ratios;
        # without gradients: once for all models. Random: 3 pools, 2 ratios, 5 draws.
        "select_rows": 3 + (30 + 4) + 2 * 3 * (30 + 4) + 60 + 20 + FIGURE3 + 30,
    }
    assert {rule: jobs[rule] for rule in expected} == expected


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        (["table1"], {"warmup": 9, "select_rows": 213, "finetune": 279, "evaluate_with_vllm": 315}),
        # The three tables of the paper; and Figure 1 adds nothing.
        (["table1", "table2", "table3", "figure1"], {"finetune": 435, "evaluate_with_vllm": 507, "table": 4}),
        # Controls need no cell of the paper that its own tables do not have, and add none to these.
        (PAPER, {"finetune": 435 + FIGURE3, "evaluate_with_vllm": 507 + FIGURE3, "select_rows": 345}),
        (["table1-controls"], {"finetune": 270 + DRAWS, "evaluate_with_vllm": 270 + CONTROLS}),
        (["table1", "table1-controls"], {"finetune": 279 + DRAWS, "evaluate_with_vllm": 315 + CONTROLS}),
        (["table2"], {"warmup": 6, "select_rows": 30, "finetune": 42, "evaluate_with_vllm": 84}),
        (["figure3"], {"warmup": 3, "finetune": 30, "evaluate_with_vllm": 30}),
    ],
)
def test_table__by_name_needs_its_own_cells(plan, tables, expected):
    jobs = plan(*tables)
    assert {rule: jobs[rule] for rule in expected} == expected


def test_cell__is_made_by_the_name_of_its_file(plan):
    jobs = plan("results/paper/runs/gemma-7b/cot/bbh+gsm8k/sbert/0.01/seed0/eval/bbh.json")
    assert (jobs["select_rows"], jobs["finetune"], jobs["evaluate_with_vllm"]) == (1, 1, 1)
    assert "warmup" not in jobs


def test_table__that_an_experiment_does_not_have_is_named(checkout):
    result = checkout.snakemake("--dry-run", "--nolock", "table1")
    assert result.returncode != 0
    assert "Experiment 'smoke' has no table 'table1'; it has gsm-symbolic, logic." in result.stdout + result.stderr
