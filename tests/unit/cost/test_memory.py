"""Which cards a prediction fits, and what is asked of the job that predicts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruction_selection.core import files
from instruction_selection.cost import memory
from instruction_selection.experiment import load

#: MiB that a card of this name really has: T4, RTX 4090, A100, L40S, H100, H200.
REAL_MIB = {16: 15360, 24: 24564, 40: 40536, 48: 46068, 80: 81559, 141: 143771}


@pytest.fixture(scope="module")
def paper(repository):
    return load.load(repository / "config", "paper")


@given(st.integers(0, 200 * memory.GIB))
def test_fitting__all_larger_cards_too(peak):
    cards = memory.fitting(peak)
    assert cards == [card for card in memory.CARDS if card >= min(cards, default=10**6)]


@pytest.mark.parametrize("card", memory.CARDS)
def test_room__less_than_a_card_really_has(card):
    assert memory.room(card) < REAL_MIB[card] * 2**20 - 0.5 * memory.GIB


@pytest.mark.parametrize("name", ["paper", "demo", "smoke", "mini"])
def test_questions__of_every_model_that_is_delivered(repository, name):
    experiment = load.load(repository / "config", name)
    assert memory.questions(experiment).keys() == set(experiment.models)


def test_questions__of_a_model_that_is_prepared_or_in_a_folder(repository, tmp_path):
    sizes = {"model_type": "llama", "hidden_size": 32}
    own = load.load(repository / "config", "own")
    folder = own.models["own"].source.model_copy(update={"folder": str(tmp_path / "model")})
    model = own.models["own"].model_copy(update={"source": folder})
    experiment = own.model_copy(update={"models": {"own": model}})
    results = str(tmp_path / "results")
    assert memory.questions(experiment, results) == {}
    for place in (tmp_path / "model", tmp_path / "results/own/models/own"):
        files.write_json(place / "config.json", sizes)
        found = memory.questions(experiment, results)["own"]
        assert (found["architecture"], found["parameters"]) == (sizes, None)
        (place / "config.json").unlink()


def test_questions__gradients_on_as_many_gpus_as_a_model_is_split_over(paper):
    gpus = paper.settings.gpus.model_copy(update={"gradients": 4})
    split = paper.model_copy(update={"settings": paper.settings.model_copy(update={"gpus": gpus})})
    assert memory.questions(split)["gemma-7b"]["gradients"]["gpus"] == 4
    assert memory.questions(paper)["gemma-7b"]["gradients"]["gpus"] == 1


def test_text__peaks_with_their_cards_and_what_is_unknown(paper, tmp_path):
    jobs = {
        "batch_tokens": 4096,
        "gradients": 30 * memory.GIB,
        "trainings": {"warmup": None},
        "evaluations": {"bbh": 200 * memory.GIB},
    }
    files.write_json(tmp_path / "memory.json", {"gemma-7b": jobs})
    text = memory.text(paper, tmp_path / "memory.json")
    words = [line.split() for line in text.splitlines()]
    batches = ["gradients,", "batches", "of", "4,096", "tokens"]
    assert [*batches, "30.0", "GiB", "40,", "48,", "80,", "141"] in words
    assert ["evaluation,", "bbh", "200.0", "GiB", "none", "of", "16,", "24,", "40,", "48,", "80,", "141"] in words
    assert "unknown: predicted for ZeRO-2 alone" in text
    assert text.count("has no `architecture`") == 2
