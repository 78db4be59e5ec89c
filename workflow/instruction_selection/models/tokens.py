"""Token ids and labels of rows, from LLaMA-Factory's own template and preprocessing.

Warm-up and fine-tuning go through LLaMA-Factory's command line; gradients come through here, by the same code,
so that all three see identical tokens. Validation rows end as training rows do.
"""

import copy
import difflib
from dataclasses import dataclass

from llamafactory.data.converter import AlpacaDatasetConverter
from llamafactory.data.parser import DatasetAttr
from llamafactory.data.processor.supervised import SupervisedDatasetProcessor
from llamafactory.data.template import get_template_and_fix_tokenizer
from llamafactory.extras.constants import IGNORE_INDEX  # re-exported
from llamafactory.hparams import DataArguments
from transformers import PreTrainedTokenizerBase

from instruction_selection.core.uncoded_errors import InputError
from instruction_selection.models import LLAMAFACTORY_COLUMNS
from instruction_selection.models.row_templates import TEMPLATES


@dataclass(frozen=True)
class Example:
    """One row as the model sees it; `labels` is IGNORE_INDEX outside the response."""

    input_ids: list[int]
    labels: list[int]

    @property
    def response_tokens(self) -> int:
        """Tokens that the loss is a mean over. The first token of a row is never predicted."""
        return sum(label != IGNORE_INDEX for label in self.labels[1:])


def encode(rows: list[dict], tokenizer: PreTrainedTokenizerBase, template: str, cutoff_len: int) -> list[Example]:
    """Tokenize rows with fields `instruction` and `response`."""
    arguments = DataArguments(template=_known(template), cutoff_len=cutoff_len)
    processor = SupervisedDatasetProcessor(
        template=get_template_and_fix_tokenizer(tokenizer, arguments),
        tokenizer=tokenizer,
        processor=None,
        data_args=arguments,
    )
    attributes = DatasetAttr("file", dataset_name="rows")
    attributes.join({"columns": LLAMAFACTORY_COLUMNS})
    converter = AlpacaDatasetConverter(attributes, arguments)
    converted = [converter(row) for row in rows]
    columns = {key: [row[key] for row in converted] for key in converted[0]} if converted else {"_prompt": []}
    encoded = processor.preprocess_dataset(columns)
    if len(encoded["input_ids"]) != len(rows):
        raise InputError(f"LLaMA-Factory dropped {len(rows) - len(encoded['input_ids'])} of {len(rows)} rows.")
    return [Example(ids, labels) for ids, labels in zip(encoded["input_ids"], encoded["labels"], strict=True)]


def chat_template(tokenizer: PreTrainedTokenizerBase, template: str) -> str:
    """The Jinja chat template that writes what LLaMA-Factory's `template` writes."""
    return TEMPLATES[_known(template)]._get_jinja_template(tokenizer)


def row_form(tokenizer: PreTrainedTokenizerBase, template: str) -> dict:
    """How a row begins and ends: `bos`, whether `template` writes the beginning-of-sequence token, and `end_of_turn`,
    the ids that have labels after those of the response.

    Raises `InputError` for a template by which training and evaluation would not see the same tokens.
    """
    # LLaMA-Factory changes a tokenizer for some templates.
    [example] = encode([{"instruction": "x", "response": "x"}], copy.deepcopy(tokenizer), template, 2**20)
    labels = [label for label in example.labels if label != IGNORE_INDEX]
    response = tokenizer.encode("x", add_special_tokens=False)
    if labels[: len(response)] != response:
        raise InputError(
            f"template: {template!r} writes something between prompt and response, which answers are not scored with "
            "(many such templates have a variant that ends in '_nothink')."
        )
    first = tokenizer.bos_token_id
    bos = first is not None and any("bos_token" in slot for slot in TEMPLATES[template].format_prefix.slots)
    if first is not None and tokenizer("x")["input_ids"][0] == first != example.input_ids[0]:
        raise InputError(
            f"template: {template!r} begins rows without {tokenizer.bos_token!r}, which the model's tokenizer puts "
            "first; for a base model, take 'alpaca_bos'."
        )
    return {"bos": bos, "end_of_turn": labels[len(response) :]}


def _known(template: str) -> str:
    if template not in TEMPLATES:
        close = difflib.get_close_matches(template, TEMPLATES, n=3)
        known = f"did you mean {' or '.join(close)}" if close else f"known: {', '.join(sorted(TEMPLATES))}"
        raise InputError(f"template: LLaMA-Factory has no template {template!r} ({known}).")
    return template
