"""Scores of answers by the real lm-eval, against the loss of training's own tokens; and how every prompt begins."""

import shutil

import pytest
import torch
from lm_eval.api.registry import get_model, model_registry
from support import stand_ins
from support.rejections import rejected
from torch.nn import functional
from transformers import AutoModelForCausalLM, AutoTokenizer

from instruction_selection.core import files
from instruction_selection.data import hub
from instruction_selection.evaluation import answers, harness
from instruction_selection.experiment import load
from instruction_selection.experiment.benchmark import Benchmark
from instruction_selection.experiment.model import Model
from instruction_selection.models import checksummed_folder, tokens
from instruction_selection.models import prepare as models
from instruction_selection.models import summary as model_summary
from instruction_selection.models.tokenized_example import IGNORE_INDEX

SETTINGS = {"backend": "hf", "dtype": "float32", "batch_size": 4, "chat_template": True}
#: SmolLM2's tokenizer and template are the tiny model's too.
MODELS = ["gemma-7b", "llama-3.1-8b", "mistral-7b-v0.3", "tiny-llama"]
WITH_BOS = [name for name in MODELS if name != "tiny-llama"]
TEXTS = [
    ("What is the capital of Kenya?", "Nairobi"),
    ("Write a list.\n\n", "[1, 2]"),
    ("  How many?  ", " 42\n"),
    ("A template: {{ instruction }} {% if %}", "{{ response }}"),
    ("Where does it end? </s><|im_end|>", "Here<|im_end|>\n</s> and there <eos>"),
    ("Wo?", "\n\nIn Zürich – 日本 🙂  \n"),
    ("<s><bos><|begin_of_text|>Now?", "<s>Yes"),
]
ROWS = [
    {"id": str(number), "task": "t", "instruction": instruction, "response": response}
    for number, (instruction, response) in enumerate(TEXTS)
]
#: With a prompt that is longer than what the stand-in for SHORT reads.
LONG = {**ROWS[0], "id": "long", "instruction": f"{'word ' * 600}{ROWS[0]['instruction']}"}
SHORT = "mistral-7b-v0.3"


def rows_of(name: str) -> list[dict]:
    """The rows that a model is scored on."""
    return [*ROWS, LONG] if name == SHORT else ROWS


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, repository, tiny_model):
    """A function of a model of config/models: its entry, and the folder that the pipeline makes of its stand-in."""
    made = {}

    def prepare(name: str):
        if name not in made:
            entry = load.read_entry(repository / "config", Model, name).plain()
            folder = tiny_model
            if name in stand_ins.STAND_INS:
                root = tmp_path_factory.mktemp("models")
                stand_ins.publish(name, entry["source"]["repository"], root / "mirror")
                manifest = root / "cache" / "manifests" / "model" / f"{name}.json"
                hub.fetch({"source": entry["source"]}, manifest, root / "mirror")
                folder = root / name
                models.prepare(entry, folder, manifest)
            made[name] = entry, folder
        return made[name]

    return prepare


@pytest.fixture(scope="module")
def benchmark(repository) -> dict:
    return load.read_entry(repository / "config", Benchmark, "logic").plain()


@pytest.fixture(scope="module")
def scored(prepared, benchmark, tmp_path_factory):
    """A function of a model's name: what one start of lm-eval gives for `rows_of` it."""
    known = {}

    def score(name: str):
        if name not in known:
            known[name] = evaluate(benchmark, rows_of(name), prepared(name)[1], tmp_path_factory.mktemp("scored"))
        return known[name]

    return score


@pytest.fixture(scope="module")
def spied(prepared):
    """A function of a model's name: `spy` on it. Its first task has scored answers."""
    known = {}

    def watch(name: str):
        if name not in known:
            known[name] = spy(prepared(name)[1], "x-answer")
        return known[name]

    return watch


def evaluate(benchmark, rows, model, folder, **settings):
    """Samples by (entry of the harness, id), and the summary."""
    harness.write_tasks("logic", benchmark, rows, [], folder / "tasks")
    results, samples = harness.evaluate("logic", benchmark, folder / "tasks", model, None, {**SETTINGS, **settings})
    summary = harness.summarise("logic", benchmark, results, samples, len(rows))
    return {(sample["task"], sample["id"]): sample for sample in samples}, summary


def test_model_of_the_configuration__is_here(repository):
    entries = {
        name: load.read_entry(repository / "config", Model, name).plain()
        for name in load.names(repository / "config", Model)
        # A template for a user's own model.
        if name != "own"
    }
    assert entries.keys() == {*MODELS, "smollm2-135m"}
    tiny, small = entries["tiny-llama"], entries["smollm2-135m"]
    assert tiny["template"] == small["template"]
    assert tiny["source"]["tokenizer"] == {key: small["source"][key] for key in ("package", "file")}


@pytest.mark.parametrize("name", MODELS)
def test_score__is_minus_the_loss_times_the_tokens_of_training(name, prepared, scored):
    entry, folder = prepared(name)
    samples, summary = scored(name)
    network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    examples = tokens.encode(ROWS, AutoTokenizer.from_pretrained(folder), entry["template"], 512)
    end = model_summary.row_form(folder)["end_of_turn"]
    assert len(end) == 1
    for row, example in zip(ROWS, examples, strict=True):
        ids = torch.tensor([example.input_ids])
        with torch.no_grad():
            logits = network(input_ids=ids).logits
        assert example.labels[-1] == end[0]
        for task, labels in (("answer", [*example.labels[:-1], IGNORE_INDEX]), ("answer_and_end", example.labels)):
            count = sum(label != IGNORE_INDEX for label in labels)
            loss = functional.cross_entropy(logits[0, :-1], torch.tensor(labels[1:]), ignore_index=IGNORE_INDEX)
            assert samples[task, row["id"]]["perplexity"] == pytest.approx(-float(loss) * count, rel=1e-4)
    for metric, task in (("log_likelihood", "answer"), ("log_likelihood_with_end", "answer_and_end")):
        scores = [samples[task, row["id"]]["perplexity"] for row in rows_of(name)]
        assert summary["metrics"][metric]["value"] == pytest.approx(sum(scores) / len(scores), rel=1e-4)


def spy(folder, *tasks):
    """lm-eval's model with scored answers, and the ids of every prompt that its network reads."""
    form = model_summary.row_form(folder)
    if "hf-answers" not in model_registry:
        answers.register("hf")
    given = {"add_bos_token": True} if form["bos"] else {}
    model = get_model("hf-answers")(
        pretrained=str(folder),
        dtype="float32",
        device="cpu",
        batch_size=1,
        answers=":".join(tasks),
        end_of_turn=":".join(map(str, form["end_of_turn"])),
        **given,
    )
    read, call, generate, score = [], model._model_call, model._model_generate, model._score_answers
    model._score_answers = lambda encoded, *more: (
        read.extend(prompt + answer for prompt, answer in encoded) or score(encoded, *more)
    )
    model._model_call = lambda inps, **keys: read.append(inps[0].tolist()) or call(inps, **keys)
    model._model_generate = lambda context, **keys: read.append(context[0].tolist()) or generate(context, **keys)
    return model, read


KINDS = {
    "answer": {"output_type": "loglikelihood", "metric_list": [{"metric": "acc", "aggregation": "mean"}]},
    "choice": {
        "output_type": "multiple_choice",
        "doc_to_choice": ["Yes", "No"],
        "doc_to_target": 0,
        "metric_list": [{"metric": "acc", "aggregation": "mean"}],
    },
    "generation": {
        "output_type": "generate_until",
        "generation_kwargs": {"until": [], "do_sample": False, "max_gen_toks": 2},
        "metric_list": [{"metric": "exact_match", "aggregation": "mean"}],
    },
}


@pytest.mark.parametrize("chat_template", [True, False])
@pytest.mark.parametrize("name", MODELS)
def test_prompt__begins_as_training_does(name, chat_template, prepared, spied, tmp_path):
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    entry, folder = prepared(name)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    bos = tokenizer.bos_token_id
    [example] = tokens.encode(ROWS[:1], tokenizer, entry["template"], 512)
    assert model_summary.row_form(folder)["bos"] == (name in WITH_BOS)
    # ChatML's first token is what SmolLM2's tokenizer calls BOS, and it is a part of the prompt's text.
    assert example.input_ids[0] == bos
    assert example.input_ids[1] != bos
    if name not in WITH_BOS and not chat_template:
        return
    # Each prompt names its kind, which shows that every kind was read.
    tasks = {
        kind: {"doc_to_text": f"[{kind}] {{{{instruction}}}}", "doc_to_target": "response", **keys}
        for kind, keys in KINDS.items()
    }
    harness.write_tasks("x", {"harness": tasks, "metrics": []}, ROWS[:2], [], tmp_path)
    model, read = spied(name)
    read.clear()
    manager = TaskManager(include_path=str(tmp_path), include_defaults=False)
    simple_evaluate(
        model, tasks=[f"x-{kind}" for kind in tasks], task_manager=manager, apply_chat_template=chat_template
    )
    texts = [tokenizer.decode(ids) for ids in read]
    assert all(any(f"[{kind}]" in text for text in texts) for kind in KINDS)
    for ids in read:
        assert ids[0] == bos
        assert ids[1] != bos


def test_long_prompt__loses_its_beginning_but_not_bos(prepared, scored):
    entry, folder = prepared(SHORT)
    samples, _ = scored(SHORT)
    network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    [example] = tokens.encode([LONG], AutoTokenizer.from_pretrained(folder), entry["template"], 4096)
    assert len(example.input_ids) > 512
    kept = [example.input_ids[0], *example.input_ids[-(512 - 2) :]]
    with torch.no_grad():
        logits = network(input_ids=torch.tensor([kept])).logits[0].log_softmax(1)
    count = example.response_tokens
    wanted = [float(logits[place - 1, kept[place]]) for place in range(len(kept) - count, len(kept))]
    assert samples["answer_and_end", "long"]["perplexity"] == pytest.approx(sum(wanted), rel=1e-4)
    assert samples["answer", "long"]["perplexity"] == pytest.approx(sum(wanted[:-1]), rel=1e-4)


def test_long_answer__is_rejected(prepared, benchmark, tmp_path, capfd):
    _, folder = prepared(SHORT)
    with rejected("failed"):
        evaluate(benchmark, [{**ROWS[0], "response": "word " * 600}], folder, tmp_path)
    assert "logic-answer: example 0: the answer has " in capfd.readouterr().err


def test_answer__is_exact_only_if_the_model_ends_there(prepared, benchmark, tmp_path):
    """A model that has learnt one row by heart gives its response and ends; of a shorter response it would go on."""
    entry, folder = prepared("tiny-llama")
    row = {"id": "whole", "task": "t", "instruction": "Is it so?", "response": "No, it is not"}
    learnt = tmp_path / "learnt"
    network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    [example] = tokens.encode([row], AutoTokenizer.from_pretrained(folder), entry["template"], 512)
    ids, labels = torch.tensor([example.input_ids]), torch.tensor([example.labels])
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(60):
        network(input_ids=ids, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    with checksummed_folder.create(learnt) as partial:
        shutil.copytree(folder, partial, dirs_exist_ok=True)
        network.save_pretrained(partial)
    rows = [row, {**row, "id": "prefix", "response": "No"}, {**row, "id": "other", "response": "Yes"}]
    samples, summary = evaluate(benchmark, rows, learnt, tmp_path)
    assert [samples["answer", row["id"]]["acc"] for row in rows] == [1, 1, 0]
    assert [samples["answer_and_end", row["id"]]["acc"] for row in rows] == [1, 0, 0]
    assert summary["metrics"]["exact_match"]["value"] == pytest.approx(1 / 3)


def test_tasks_of_lm_eval__are_asked_as_it_asks_them(prepared, tmp_path):
    """Choices: prompt and choice as one text, white space at the end of the prompt with the choice."""
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    _, folder = prepared("llama-3.1-8b")
    model, read = spy(folder, "own")
    plain = HFLM(pretrained=str(folder), dtype="float32", device="cpu", batch_size=1)
    asked = [
        Instance("loglikelihood", {"id": row["id"]}, (row["instruction"] + " ", row["response"]), 0, ("other", 0, 1))
        for row in ROWS[:4]
    ]
    assert model.loglikelihood(asked) == plain.loglikelihood(asked)


def test_answers__have_lm_evals_own_scores_in_batches_of_any_size(prepared):
    """Whose models compute the whole vocabulary's probabilities at every token."""
    entry, folder = prepared("tiny-llama")
    model, _ = spy(folder, "own")
    examples = tokens.encode(ROWS, AutoTokenizer.from_pretrained(folder), entry["template"], 512)
    encoded = [(each.input_ids[: -each.response_tokens], each.input_ids[-each.response_tokens :]) for each in examples]
    # Greedy decoding gives the last token of this one.
    prompt = encoded[0][0]
    with torch.no_grad():
        encoded.append((prompt, [int(model.model(torch.tensor([prompt])).logits[0, -1].argmax())]))
    wanted = answers.ScoresAnswers._score_answers(model, encoded, True)
    assert [exact for _, exact in wanted] == [False] * len(ROWS) + [True]
    for batch_size in (1, 3, len(encoded)):
        model.batch_size_per_gpu = batch_size
        found = model._score_answers(encoded, True)
        assert [exact for _, exact in found] == [exact for _, exact in wanted]
        assert [score for score, _ in found] == pytest.approx([score for score, _ in wanted], rel=1e-5)


def test_score__of_a_model_in_bfloat16_is_not_rounded_to_it(prepared, benchmark, tmp_path):
    """bfloat16 has eight bits: above 128 nats it would be a whole number."""
    samples, _ = evaluate(benchmark, ROWS, prepared("tiny-llama")[1], tmp_path, dtype="bfloat16")
    scores = torch.tensor([samples["answer", row["id"]]["perplexity"] for row in ROWS], dtype=torch.float64)
    assert (scores.bfloat16().double() != scores).any()


def test_model__that_an_earlier_version_prepared_is_rejected(tmp_path):
    files.write_json(tmp_path / model_summary.NAME, {"weights": {}})
    with rejected("old-model", path=model_summary.NAME, key="row_form"):
        model_summary.row_form(tmp_path)
