"""The estimate's jobs, their dependencies and their devices are those that Snakemake plans."""

import re
from collections import Counter

import pytest
from support.checkout import Checkout

from instruction_selection.cost import jobs
from instruction_selection.experiment import load, machines


def dependencies(plan: list[tuple[str, str, list[str]]]) -> Counter:
    """How many jobs there are of each rule with the same tree of jobs behind it.

    `plan` has (name, rule, names that it depends on), each after what it depends on. Jobs of other rules than the
    estimate's are looked through.
    """
    behind, signature, known = {}, {}, {}
    for name, rule, after in plan:
        everything = frozenset().union(*(behind[other] for other in after))
        if rule in machines.STAGE_OF_RULE:
            tree = rule, tuple(sorted(Counter(signature[other] for other in everything).items()))
            signature[name] = known.setdefault(tree, len(known))
            everything |= {name}
        behind[name] = everything
    trees = {number: tree for tree, number in known.items()}

    def written(number: int) -> str:
        rule, below = trees[number]
        return f"{rule}({', '.join(sorted(f'{count} {written(other)}' for other, count in below))})"

    return Counter(written(number) for number in signature.values())


def planned_by_snakemake(text: str) -> list[tuple[str, str, list[str]]]:
    """The nodes of a graph as Snakemake writes it in the DOT language, sorted by dependence."""
    rules = dict(re.findall(r'^\s*(\d+)\[label = "(\w+)', text, re.MULTILINE))
    after = {name: [] for name in rules}
    for first, second in re.findall(r"^\s*(\d+) -> (\d+)", text, re.MULTILINE):
        after[second].append(first)
    found, ordered = set(), []

    def visit(name: str) -> None:
        if name not in found:
            found.add(name)
            for other in after[name]:
                visit(other)
            ordered.append((name, rules[name], after[name]))

    for name in rules:
        visit(name)
    return ordered


@pytest.mark.parametrize("experiment", ["smoke", "paper"])
def test_plan__as_many_jobs_as_a_dry_run(repository, experiment):
    planned = Checkout(repository).planned(experiment, "--forceall", "--nolock")
    counted = Counter(job.rule for job in jobs.plan(load.load(repository / "config", experiment)))
    assert counted == {rule: planned[rule] for rule in machines.STAGE_OF_RULE if rule in planned}


@pytest.mark.parametrize("experiment", ["smoke", "mini"])
def test_plan__dependencies_of_a_dry_run(repository, experiment):
    result = Checkout(repository).snakemake("--forceall", "--nolock", "--dag", "dot", experiment=experiment)
    assert result.returncode == 0, result.stderr
    ours = [(job.key, job.rule, list(job.after)) for job in jobs.plan(load.load(repository / "config", experiment))]
    assert dependencies(ours) == dependencies(planned_by_snakemake(result.stdout))


def test_estimate__is_written_to_stdout_and_runs_nothing_but_a_prediction(repository):
    results = repository / "results/paper"
    before = set(results.rglob("*.*"))
    arguments = ("--nolock", "--resources", "gpu=8", "--quiet", "all", "--", "estimate")
    result = Checkout(repository).snakemake(*arguments, experiment="paper")
    assert result.returncode == 0, result.stderr
    assert "2 cores and 8 GPUs" in result.stdout
    assert re.search(r"fine-tuning +[0-9.]+ GiB +40, 48, 80, 141", result.stdout)
    written = {path.name for path in set(results.rglob("*.*")) - before}
    assert written <= {"memory.json", "predict_memory.log", ".predict_memory.log.lock", "predict_memory.tsv"}
