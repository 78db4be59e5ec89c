"""Whatever an experiment asks for: every job once, after what it needs, in paths of its own below results/."""

import random
import shutil
import string
from pathlib import Path, PurePosixPath

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from instruction_selection.cost import jobs
from instruction_selection.experiment import grid
from instruction_selection.experiment import load as loading
from instruction_selection.experiment.experiment import Experiment
from instruction_selection.experiment.paths import Layout

CONFIG = Path(__file__).resolve().parents[3] / "config"
METHODS = ["base", "full", "random", "sbert", "less", "less-round-robin", "g2is", "rds-plus", "length-random", "tagcos"]
PATHS = Layout("asked")


def some(values, most=4):
    return st.lists(values, min_size=1, max_size=most, unique=True)


asked = st.fixed_dictionaries(
    {
        "summary": st.just("Any."),
        "models": some(st.sampled_from(["tiny-llama", "smollm2-135m", "llama-3.1-8b"])),
        "encoder": st.just("all-minilm-l6-v2"),
        "pools": some(st.sampled_from(["reasoning", "cot"])).map(lambda names: {name: {"rows": 99} for name in names}),
        "targets": some(st.sampled_from(["logic", "gsm-symbolic", "gsm8k", "mmlu"])).map(
            lambda names: {name: {"validation_rows": 9, "evaluation_rows": 9} for name in names}
        ),
        "methods": some(st.sampled_from(METHODS), 10),
        "ratios": some(st.floats(0.02, 1, exclude_max=True)),
        "seeds": some(st.integers(0, 2**32 - 1)),
        "warmup": st.fixed_dictionaries({"rows": st.just(9), "checkpoints": st.integers(1, 3)}),
        "gradients": st.fixed_dictionaries({"shards": st.integers(1, 5)}),
    }
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return Path(shutil.copytree(CONFIG, tmp_path_factory.mktemp("grid") / "config"))


def load(folder: Path, settings: dict) -> Experiment:
    (folder / "experiments" / "asked.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    return loading.load(folder, "asked")


def scores(experiment: Experiment) -> list[grid.Score]:
    return [score for plan in experiment.tables.values() for score in grid.scores(experiment, plan)]


@settings(max_examples=40)
@given(asked)
def test_job__is_there_once_and_after_what_it_needs(folder, settings):
    seen = set()
    for job in jobs.plan(load(folder, settings)):
        assert job.key not in seen
        assert job.after <= seen
        seen.add(job.key)


@settings(max_examples=40)
@given(asked)
def test_cells__have_paths_of_their_own_below_results(folder, settings):
    experiment = load(folder, settings)
    owner = {}
    for score in scores(experiment):
        for pattern in (PATHS.adapter, PATHS.evaluation, PATHS.samples):
            path = pattern.format(**score.cell.wildcards(), benchmark=score.benchmark)
            what = (pattern, score.cell, score.benchmark if "{benchmark}" in pattern else None)
            assert owner.setdefault(path, what) == what
            parts = PurePosixPath(path).parts
            assert parts[:2] == ("results", "asked")
            assert not {"..", ".", ""} & set(parts)
            assert set(path) <= set(string.ascii_letters + string.digits + "/._+-")


@settings(max_examples=25)
@given(asked, st.randoms(use_true_random=False))
def test_order__of_lists_changes_no_job(folder, settings, source: random.Random):
    def shuffled(value):
        if isinstance(value, dict):
            return {key: shuffled(value[key]) for key in source.sample(list(value), len(value))}
        return source.sample(value, len(value)) if isinstance(value, list) else value

    # A method that does not draw selects once, with the first seed.
    other = {**shuffled(settings), "seeds": settings["seeds"]}
    one, two = ({(job.key, job.after) for job in jobs.plan(load(folder, each))} for each in (settings, other))
    assert one == two
