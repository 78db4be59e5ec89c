"""Which planned jobs have to fit the card of `gpus.card`, and what is said of one that does not."""

import pytest
from support.rejections import rejected

from instruction_selection.core import files
from instruction_selection.cost import card, memory
from instruction_selection.cost.jobs import plan
from instruction_selection.experiment import load

MODELS = ("llama-3.1-8b", "gemma-7b", "mistral-7b-v0.3")
SMALL = memory.GIB


@pytest.fixture(scope="module")
def paper(repository):
    return load.load(repository / "config", "paper")


def with_gpus(experiment, **gpus):
    return experiment.model_copy(
        update={
            "settings": experiment.settings.model_copy(
                update={"gpus": experiment.settings.gpus.model_copy(update=gpus)}
            )
        }
    )


def with_gradients(experiment, **keys):
    gradients = experiment.settings.gradients.model_copy(update=keys)
    return experiment.model_copy(update={"settings": experiment.settings.model_copy(update={"gradients": gradients})})


def planned(experiment):
    return card.jobs_on_gpus(experiment, [(job.rule, dict(job.wildcards)) for job in plan(experiment)])


def predicted(folder, experiment, **larger):
    """A prediction in which every job is small but those of gemma-7b that are named."""

    def of(model):
        own = larger if model == "gemma-7b" else {}
        return {
            "batch_tokens": 2048,
            "gradients": own.get("gradients", SMALL),
            "losses": own.get("losses", SMALL),
            "trainings": {stage: own.get(stage, SMALL) for stage in memory.TRAININGS},
            "evaluations": {name: own.get(name, SMALL) for name in experiment.settings.targets},
        }

    files.write_json(folder / "memory.json", {model: of(model) for model in MODELS})
    return folder / "memory.json"


def test_jobs_on_gpus__each_once_and_none_without_a_gpu(paper):
    found = planned(paper)
    assert len(found) == len(set(found)) == len(MODELS) * (4 + len(paper.settings.targets))
    rules = {"warmup", "finetune", "evaluate_with_vllm", "pool_gradients", "validation_gradients"}
    assert {rule for rule, *_ in found} == rules
    without = with_gpus(paper, training=0, evaluation=0)
    assert {rule for rule, *_ in planned(without)} == {"pool_gradients", "validation_gradients"}


@pytest.mark.parametrize("large", ["gradients", "warmup", "finetune", "mmlu"])
def test_reject__the_job_that_does_not_fit(paper, tmp_path, large):
    named = with_gpus(paper, card=40)
    room = memory.room(40)
    card.reject(named, predicted(tmp_path, paper, **{large: int(room)}), planned(named))
    path = predicted(tmp_path, paper, **{large: int(room) + 1})
    with rejected("does-not-fit", path="config/experiments/paper.yaml", key="gpus.card") as caught:
        card.reject(named, path, planned(named))
    name = {"warmup": "warm-up", "finetune": "fine-tuning"}.get(large, large)
    assert name in str(caught.value)
    assert "gemma-7b" in str(caught.value)
    # It is not planned.
    card.reject(named, path, [job for job in planned(named) if job[1] != "gemma-7b"])


def test_reject__proposes_what_is_not_done_yet(paper, tmp_path):
    named = with_gpus(paper, card=24)
    path, jobs = predicted(tmp_path, paper, gradients=100 * SMALL), planned(named)

    def changes(experiment):
        with rejected("does-not-fit") as caught:
            card.reject(experiment, path, jobs)
        return str(caught.value)

    assert "precision" not in changes(named)
    assert "batch_tokens" not in changes(named)
    assert "gradients.precision: bf16" in changes(with_gradients(named, precision="fp32"))
    assert "gradients.parameters: lora" in changes(with_gradients(named, parameters="full"))
    assert "lower gradients.batch_tokens" in changes(with_gradients(named, batch_tokens=9000))


def test_reject__a_model_without_a_prediction(paper, tmp_path):
    named = with_gpus(paper, card=80)
    files.write_json(tmp_path / "memory.json", {})
    with rejected("no-architecture", path="config/models/gemma-7b.yaml", key="architecture"):
        card.reject(named, tmp_path / "memory.json", [("warmup", "gemma-7b", None)])


def test_reject__not_what_is_unknown(paper, tmp_path):
    named = with_gpus(paper, card=16)
    path = predicted(tmp_path, paper, finetune=None)
    jobs = [
        ("finetune", "gemma-7b", None),
        ("evaluate_with_vllm", "gemma-7b", "bbh"),
    ]
    card.reject(named, path, jobs)


def test_batch_tokens__of_the_experiment_the_default_or_the_card(paper):
    def tokens(experiment):
        return experiment.settings.batch_tokens

    assert tokens(paper) == 2048
    named = with_gpus(paper, card=40)
    assert tokens(named) is None
    assert tokens(with_gradients(named, batch_tokens=512)) == 512
    assert tokens(with_gpus(named, gradients=0)) == 2048
    assert memory.questions(named)["gemma-7b"]["room"] == memory.room(40)


@pytest.mark.parametrize("rule", ["pool_losses", "validation_hidden_states"])
def test_reject__losses_and_hidden_states(paper, tmp_path, rule):
    named = with_gradients(with_gpus(paper, card=24), precision="fp32", batch_tokens=9000)
    path = predicted(tmp_path, paper, losses=100 * SMALL)
    with rejected("does-not-fit", key="gpus.card") as caught:
        card.reject(named, path, [(rule, "gemma-7b", None)])
    assert "lower gradients.batch_tokens" in str(caught.value)
    # They are in float32 whatever gradients are.
    assert "precision" not in str(caught.value)
