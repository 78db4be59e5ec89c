"""Warm-up, gradients, fine-tuning and evaluation see the same tokens."""

import pytest
import yaml
from llamafactory.extras import constants
from support import stand_ins
from support.rejections import rejected
from transformers import AutoTokenizer

from instruction_selection.data import control_tokens
from instruction_selection.models import row_templates, tokens
from instruction_selection.models.tokenized_example import IGNORE_INDEX


@pytest.fixture(scope="module")
def tokenizer(tiny_model):
    return AutoTokenizer.from_pretrained(tiny_model)


def test_label_without_loss__is_llama_factorys():
    assert IGNORE_INDEX == constants.IGNORE_INDEX


def test_supervision__is_of_the_response_only(tokenizer, some_rows):
    for row, example in zip(some_rows, tokens.encode(some_rows, tokenizer, "smollm_eot", 512), strict=True):
        assert len(example.input_ids) == len(example.labels)
        supervised = [label for label in example.labels if label != IGNORE_INDEX]
        assert supervised == example.input_ids[-len(supervised) :]
        assert tokenizer.decode(supervised) == f"{row['response']}<|im_end|>"
        assert example.response_tokens == len(supervised)


def test_evaluation__asks_in_the_form_of_training(tokenizer, some_rows):
    for row, example in zip(some_rows, tokens.encode(some_rows, tokenizer, "smollm_eot", 512), strict=True):
        prompt = tokenizer.apply_chat_template(
            [{"role": "user", "content": row["instruction"]}], tokenize=False, add_generation_prompt=True
        )
        assert tokenizer(prompt)["input_ids"] == example.input_ids[: -example.response_tokens]


def as_chats(rows: list[dict]) -> list[dict]:
    """With earlier turns, a different number for every row, and a system prompt for every second one."""
    turns = [[{"role": "user", "content": f"{n}?"}, {"role": "assistant", "content": f"{n}!"}] for n in range(9)]
    system = [{"role": "system", "content": "Be brief."}]
    return [
        {
            **row,
            "messages": [
                *(system if number % 2 else []),
                *(turn for pair in turns[: number % 5] for turn in pair),
                {"role": "user", "content": row["instruction"]},
                {"role": "assistant", "content": row["response"]},
            ],
        }
        for number, row in enumerate(rows)
    ]


def test_chat__has_labels_on_its_last_answer_only(tokenizer, some_rows):
    rows = as_chats(some_rows)
    for row, example in zip(rows, tokens.encode(rows, tokenizer, "smollm_eot", 2048), strict=True):
        supervised = [label for label in example.labels if label != IGNORE_INDEX]
        assert tokenizer.decode(supervised) == f"{row['response']}<|im_end|>"
        text = tokenizer.decode(example.input_ids)
        assert all(turn["content"] in text for turn in row["messages"])


def test_chat__of_one_question_has_the_tokens_of_the_question(tokenizer, some_rows):
    [row] = as_chats(some_rows[:1])
    assert tokens.encode([row], tokenizer, "smollm_eot", 64) == tokens.encode(
        some_rows[:1], tokenizer, "smollm_eot", 64
    )


@pytest.mark.parametrize("template", ["smollm_eot", "tokenizer"])
@pytest.mark.parametrize("form", [list, as_chats])
def test_trainer__sees_these_tokens(tokenizer, some_rows, tiny_model, tmp_path, form, template):
    """LLaMA-Factory's own data set, as its command line builds it, against ours."""
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.hparams import get_train_args

    from instruction_selection.core import files
    from instruction_selection.training import llamafactory

    rows_path = tmp_path / "rows.jsonl"
    # With what a tokenizer could read as something else than text.
    some_rows = [*some_rows, {**some_rows[0], "instruction": "a<|im_end|>\0\ufeff", "response": "<|im_start|>b</s>"}]
    some_rows = form(some_rows)
    files.write_jsonl(rows_path, some_rows)
    arguments = {"stage": "sft", "finetuning_type": "lora", "use_cpu": True}
    written = llamafactory.write_arguments(rows_path, tiny_model, template, 64, arguments, 0, tmp_path)
    model_args, data_args, training_args, _, _ = get_train_args(yaml.safe_load(written.read_text()))
    theirs = get_template_and_fix_tokenizer(tokenizer, data_args)
    dataset = get_dataset(theirs, model_args, data_args, training_args, stage="sft", tokenizer=tokenizer)
    ours = tokens.encode(some_rows, tokenizer, template, 64)
    assert [list(row) for row in dataset["train_dataset"]["input_ids"]] == [example.input_ids for example in ours]
    assert [list(row) for row in dataset["train_dataset"]["labels"]] == [example.labels for example in ours]


def test_rows__are_cut_off(tokenizer, some_rows):
    assert all(len(example.input_ids) <= 20 for example in tokens.encode(some_rows, tokenizer, "smollm_eot", 20))


def test_unknown_template__is_named(tokenizer, some_rows):
    with rejected("unknown-template", key="template") as caught:
        tokens.encode(some_rows, tokenizer, "smolm", 64)
    assert "'smolm' (did you mean smollm" in str(caught.value)


def test_tokenizer__ends_where_an_answer_ends(tokenizer):
    """Its GGUF file says `<|im_end|>`."""
    assert tokenizer.eos_token == "<|im_end|>"
    assert tokens.row_form(tokenizer, "smollm_eot") == {"bos": False, "end_of_turn": [tokenizer.eos_token_id]}


def test_template__without_the_token_that_the_tokenizer_puts_first_is_rejected():
    tokenizer = stand_ins.mistral()
    assert tokens.row_form(tokenizer, "alpaca_bos") == {"bos": True, "end_of_turn": [tokenizer.eos_token_id]}
    with rejected("template-without-bos", key="template"):
        tokens.row_form(tokenizer, "alpaca")


def test_template__that_writes_before_the_answer_is_rejected(tokenizer):
    with rejected("template-writes-before-response", key="template"):
        tokens.row_form(tokenizer, "qwen3")


def test_turns__are_separated_and_the_last_one_is_not(tokenizer):
    """Several turns are examples in a prompt; the line break after an answer belongs between them."""
    question, answer = {"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}
    template = row_templates.TEMPLATES["smollm_eot"]
    (_, first), (prompt, last) = template.encode_multiturn(tokenizer, [question, answer, question, answer])
    assert tokenizer.decode(last) == "So.<|im_end|>"
    asked = tokenizer.apply_chat_template([question, answer, question], tokenize=False)
    assert asked.endswith("So.<|im_end|>\n" + tokenizer.decode(prompt))
    assert tokenizer.decode(first) == "So.<|im_end|>\n"


def test_control_tokens__include_all_special_tokens_of_the_models(tokenizer):
    """Pools leave out rows with these by default."""
    known = [tokenizer, stand_ins.llama_3(), stand_ins.mistral(), stand_ins.gemma()]
    special = {token.content for each in known for token in each.added_tokens_decoder.values() if token.special}
    assert len(special) > 20
    assert [token for token in special if control_tokens.first(f"a {token}b") != token] == []


def test_encode__a_control_token_in_a_row_ends_it_in_training_too(tokenizer, some_rows):
    """Why rows with control tokens are left out: LLaMA-Factory reads them as tokens, as all tokenizers do."""
    row = {**some_rows[0], "response": "one<|im_end|>two"}
    [example] = tokens.encode([row], tokenizer, "smollm_eot", 512)
    assert example.input_ids.count(tokenizer.convert_tokens_to_ids("<|im_end|>")) == 3
