"""A draw has seeds of its own for all that is random, and the evaluation rows of the experiment."""

import pytest
from support.rejections import rejected

from instruction_selection.experiment import decides, draws, load
from instruction_selection.experiment.wiring import Wiring

WILDCARDS = {"model": "tiny-llama", "pool": "reasoning", "target": "logic", "benchmark": "logic"}
DRAWN = ("sample_pool", "sample_target", "sample_warmup", "warmup")


@pytest.mark.parametrize("value", [0, -1, 1.5, "abc", "2", True, [1], 2**32])
def test_number__anything_but_a_whole_number_is_rejected(value):
    with rejected("not-a-draw", key="draw"):
        draws.number(value)


def test_number__is_none_without_a_draw():
    assert draws.number(None) is None
    assert draws.number(3) == 3


def test_draws__share_no_seed_and_keep_the_evaluation_rows():
    experiment = load.load("config", "mini")
    seen = set()
    for each in [experiment, *(load.load("config", "mini", draw) for draw in (1, 2, 9))]:
        settings = each.settings
        seeds = {settings.data_seed, *settings.seeds, *settings.seeds_of["random"]}
        assert len(seeds) == len(settings.seeds_of["random"])
        assert not seeds & seen
        seen |= seeds
        assert settings.evaluation_seed in {None, experiment.settings.data_seed}
    own = draws.settings_of(experiment.settings.model_copy(update={"evaluation_seed": 7}), 1)
    assert own.evaluation_seed == 7


def test_draw__has_other_settings_where_something_is_drawn_and_elsewhere_the_same():
    one, other = (decides.Decisions(load.load("config", "smoke", draw)) for draw in (None, 2))
    for rule in decides.KEYS:
        wildcards = {**WILDCARDS, "method": "g2is", "encoder": "any"}
        if rule in {"sample_target", "check_overlap"}:
            del wildcards["benchmark"]
        differs = one.of_job(rule, wildcards) != other.of_job(rule, wildcards)
        assert differs == (rule in DRAWN), rule


def test_draw__has_its_own_folder_for_every_result_and_shares_public_files():
    found = []
    for draw in (None, 1, 12):
        wiring = Wiring(load.load("config", "smoke", draw))
        found.append({*vars(wiring.paths).values(), wiring.paths.log("x"), wiring.paths.benchmark("x")})
        assert wiring.hub == "results/hub"
    assert not found[0] & found[1]
    assert not found[1] & found[2]
    assert all(path.startswith("results/smoke/draw12/") for path in found[2])
    assert not any("/draw" in path for path in found[0])


def test_draw__cells_are_those_of_the_experiment_with_shifted_seeds():
    one, other = (Wiring(load.load("config", "smoke", draw)) for draw in (None, 2))
    for table in one.experiment.tables:
        cells = [names for names, *_ in one.table_cells(table)]
        drawn = [names for names, *_ in other.table_cells(table)]
        assert drawn == [{**names, "seed": str(int(names["seed"]) + 2000)} for names in cells]


def test_settings_of__seeds_of_other_draws_are_rejected():
    settings = load.load("config", "smoke").settings
    for changed in ({"data_seed": 1000}, {"seeds": (0, 1000)}, {"seeds_of": {"random": (2000,)}}):
        with rejected("seed-too-large", key="seeds"):
            draws.settings_of(settings.model_copy(update=changed), 1)
