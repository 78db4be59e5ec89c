"""Token ids and labels of examples, from LLaMA-Factory's own template and preprocessing.

Warm-up and fine-tuning use LLaMA-Factory's command line; gradients use this module, which runs the same code, so all
three see identical tokens. Validation examples end as training examples do.
"""

import copy
import difflib

from llamafactory.data.converter import AlpacaDatasetConverter, SharegptDatasetConverter
from llamafactory.data.parser import DatasetAttr
from llamafactory.data.processor.supervised import SupervisedDatasetProcessor
from llamafactory.data.template import get_template_and_fix_tokenizer
from llamafactory.hparams import DataArguments
from transformers import PreTrainedTokenizerBase

from instruction_selection.core.errors import InputError
from instruction_selection.core.example import Example
from instruction_selection.models import dataset_layout
from instruction_selection.models.row_templates import ANOTHER, TEMPLATES
from instruction_selection.models.tokenized_example import IGNORE_INDEX, TokenizedExample


def encode(
    rows: list[Example], tokenizer: PreTrainedTokenizerBase, template: str, cutoff_len: int
) -> list[TokenizedExample]:
    """Tokenize examples with LLaMA-Factory's `template`, to `cutoff_len` tokens: `instruction` and `response`, or, if
    all have them, `messages`, of which the last turn has labels and earlier ones are cut off first.
    """
    chat = bool(rows) and "messages" in rows[0]
    arguments = DataArguments(template=_existing(template), cutoff_len=cutoff_len, mask_history=chat)
    processor = SupervisedDatasetProcessor(
        template=get_template_and_fix_tokenizer(tokenizer, arguments),  # pyright: ignore[reportArgumentType] (takes fast ones)
        tokenizer=tokenizer,  # pyright: ignore[reportArgumentType] (takes fast ones)
        processor=None,
        data_args=arguments,
    )
    attributes = DatasetAttr("file", dataset_name="rows")
    attributes.join(dataset_layout(rows[0]) if rows else {})
    converter = (SharegptDatasetConverter if chat else AlpacaDatasetConverter)(attributes, arguments)
    converted = [converter(dict(row)) for row in rows]
    columns = {key: [row[key] for row in converted] for key in converted[0]} if converted else {"_prompt": []}
    encoded = processor.preprocess_dataset(columns)
    if len(encoded["input_ids"]) != len(rows):
        dropped = len(rows) - len(encoded["input_ids"])
        raise InputError("examples-dropped", f"LLaMA-Factory dropped {dropped} of {len(rows)} examples")
    return [TokenizedExample(ids, labels) for ids, labels in zip(encoded["input_ids"], encoded["labels"], strict=True)]


def chat_template(tokenizer: PreTrainedTokenizerBase, template: str) -> str:
    """The Jinja chat template that writes what LLaMA-Factory's `template` writes; the tokenizer's own for `tokenizer`.

    Raises `InputError` for one of the tokenizer's that does not write the same text on every day, and if it has none.
    """
    if template == "tokenizer":
        own = tokenizer.chat_template
        if not isinstance(own, str):
            sentence = f"the tokenizer has {'several chat templates' if own else 'no chat template'}; {ANOTHER}"
            raise InputError("no-chat-template", sentence, key="template")
        if "strftime_now" in own:
            sentence = f"the model's chat template writes the date, so that no run could be repeated; {ANOTHER}"
            raise InputError("chat-template-with-date", sentence, key="template")
        return own
    return TEMPLATES[_existing(template)]._get_jinja_template(tokenizer)  # pyright: ignore[reportArgumentType] (takes fast ones)


def row_form(tokenizer: PreTrainedTokenizerBase, template: str) -> dict:
    """How an example begins and ends: `bos`, whether `template` writes the beginning-of-sequence token, and
    `end_of_turn`, the ids that have labels after those of the response.

    Raises `InputError` for a template with which training and evaluation would not see the same tokens.
    """
    # LLaMA-Factory changes a tokenizer for some templates.
    probe: Example = {"id": "", "task": "", "instruction": "x", "response": "x"}
    [example] = encode([probe], copy.deepcopy(tokenizer), template, 2**20)
    labels = [label for label in example.labels if label != IGNORE_INDEX]
    response = tokenizer.encode("x", add_special_tokens=False)
    if labels[: len(response)] != response:
        raise InputError(
            "template-writes-before-response",
            f"{template!r} writes text between prompt and response, so training and evaluation would differ; try a "
            "variant of it that ends in '_nothink'",
            key="template",
        )
    first = tokenizer.bos_token_id
    puts_first = first is not None and tokenizer("x")["input_ids"][0] == first
    if template == "tokenizer":
        bos = puts_first
    else:
        bos = first is not None and any("bos_token" in slot for slot in TEMPLATES[template].format_prefix.slots)
    if puts_first and first != example.input_ids[0]:
        raise InputError(
            "template-without-bos",
            f"{template!r} omits {tokenizer.bos_token!r}, which the model's tokenizer puts first; for a base model, "
            "use 'alpaca_bos'",
            key="template",
        )
    return {"bos": bos, "end_of_turn": labels[len(response) :]}


def _existing(template: str) -> str:
    if template not in TEMPLATES:
        close = difflib.get_close_matches(template, TEMPLATES, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else f"choose one of {', '.join(sorted(TEMPLATES))}"
        raise InputError("unknown-template", f"LLaMA-Factory has no template {template!r} ({hint})", key="template")
    return template
