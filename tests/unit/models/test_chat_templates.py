"""`template: tokenizer`: training, gradients and evaluation see what the model's own chat template writes."""

import pytest
from support import stand_ins
from support.rejections import rejected
from transformers import PreTrainedTokenizerBase

from instruction_selection.models import tokens

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
#: As the families publish them, without tools.
LLAMA_3 = (
    "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n{{ m.content | trim }}"
    "<|eot_id|>{% endfor %}{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
QWEN_2 = (
    "{% if messages[0].role != 'system' %}<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% endif %}"
    + CHATML
)
GEMMA = (
    "{{ bos_token }}{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for m in messages %}<start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}\n{{ m.content | trim }}"
    "<end_of_turn>\n{% endfor %}{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]"
    "{% elif m.role == 'assistant' %} {{ m.content }}{{ eos_token }}"
    "{% else %}{{ raise_exception('Only user and assistant roles are supported') }}{% endif %}{% endfor %}"
)
PHI_3 = (
    "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% else %}{{ eos_token }}{% endif %}"
)
#: Writes an empty thought before an answer, and none into the prompt.
QWEN_3 = CHATML.replace(
    "{{ m.content }}", "{% if m.role == 'assistant' %}<think>\n\n</think>\n\n{% endif %}{{ m.content }}"
)


def without_bos() -> PreTrainedTokenizerBase:
    """As Qwen's, which has no beginning-of-sequence token."""
    tokenizer = stand_ins.llama_3()
    tokenizer.backend_tokenizer.post_processor = None
    tokenizer.bos_token = None
    return tokenizer


FAMILIES = {
    "llama": (stand_ins.llama_3, LLAMA_3, ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"], "<|eot_id|>"),
    "chatml": (without_bos, CHATML, ["<|im_start|>", "<|im_end|>"], "<|im_end|>"),
    "qwen2": (without_bos, QWEN_2, ["<|im_start|>", "<|im_end|>"], "<|im_end|>"),
    "gemma": (stand_ins.gemma, GEMMA, ["<start_of_turn>", "<end_of_turn>"], "<end_of_turn>"),
    "mistral": (stand_ins.mistral, MISTRAL, ["[INST]", "[/INST]"], "</s>"),
    "phi3": (without_bos, PHI_3, ["<|user|>", "<|assistant|>", "<|system|>", "<|end|>"], "<|end|>"),
}
QUESTION = {"role": "user", "content": "What's the capital? "}
ANSWER = {"role": "assistant", "content": "It is the city."}


def tokenizer_of(make, template: str, special: list[str], *_: str) -> PreTrainedTokenizerBase:
    tokenizer = make()
    tokenizer.add_special_tokens({"additional_special_tokens": special})
    tokenizer.chat_template = template
    return tokenizer


def row(**others) -> dict:
    return {"id": "1", "task": "all", "instruction": QUESTION["content"], "response": ANSWER["content"], **others}


@pytest.mark.parametrize("family", FAMILIES)
def test_prompt__is_that_of_the_tokenizer_and_the_answer_ends_with_its_turn(family):
    tokenizer, end = tokenizer_of(*FAMILIES[family]), FAMILIES[family][-1]
    [example] = tokens.encode([row()], tokenizer, "tokenizer", 512)
    asked = tokenizer.apply_chat_template([QUESTION], tokenize=False, add_generation_prompt=True)
    prompt = len(example.input_ids) - sum(label >= 0 for label in example.labels)
    # As the harness encodes it.
    assert example.input_ids[:prompt] == tokenizer.encode(asked, add_special_tokens=False)
    assert tokenizer.decode(example.input_ids[prompt:]).strip() == f"{ANSWER['content']}{end}"
    form = tokens.row_form(tokenizer, "tokenizer")
    assert form == {"bos": tokenizer.bos_token is not None, "end_of_turn": [tokenizer.convert_tokens_to_ids(end)]}
    assert tokens.chat_template(tokenizer, "tokenizer") == FAMILIES[family][1]


@pytest.mark.parametrize("family", FAMILIES)
def test_chat__of_several_turns_has_the_text_of_the_tokenizer(family):
    tokenizer = tokenizer_of(*FAMILIES[family])
    turns = [QUESTION, ANSWER, QUESTION, ANSWER]
    if family == "phi3":
        with rejected("chat-template-not-by-turns", key="template"):
            tokens.encode([row(messages=turns)], tokenizer, "tokenizer", 512)
        return
    [example] = tokens.encode([row(messages=turns)], tokenizer, "tokenizer", 512)
    text = tokenizer.apply_chat_template(turns, tokenize=False)
    # SentencePiece begins every piece with a space of its own.
    assert "".join(text.split()).startswith("".join(tokenizer.decode(example.input_ids).split()))


@pytest.mark.parametrize("family", ["gemma", "mistral"])
def test_system_prompt__that_the_template_rejects_is_named(family):
    turns = [{"role": "system", "content": "Be brief."}, QUESTION, ANSWER]
    with rejected("chat-template-rejects-turns", key="template"):
        tokens.encode([row(messages=turns)], tokenizer_of(*FAMILIES[family]), "tokenizer", 512)


def test_template__that_writes_before_an_answer_is_rejected():
    tokenizer = tokenizer_of(without_bos, QWEN_3, ["<|im_start|>", "<|im_end|>"])
    with rejected("template-writes-before-response", key="template"):
        tokens.row_form(tokenizer, "tokenizer")


def test_template__without_an_end_of_turn_is_rejected():
    tokenizer = tokenizer_of(without_bos, "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}", [])
    with rejected("template-without-end", key="template"):
        tokens.row_form(tokenizer, "tokenizer")


@pytest.mark.parametrize(
    ("template", "code"),
    [
        (None, "no-chat-template"),
        ({"default": CHATML, "tool_use": CHATML}, "no-chat-template"),
        ("{{ strftime_now('%d %b %Y') }}" + CHATML, "chat-template-with-date"),
    ],
)
def test_tokenizer__whose_chat_template_cannot_be_used_is_rejected(template, code):
    with rejected(code, key="template"):
        tokens.chat_template(tokenizer_of(without_bos, template, []), "tokenizer")
