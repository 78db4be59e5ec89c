"""Token ids and labels of rows, from LLaMA-Factory's own template and preprocessing.

Warm-up and fine-tuning go through LLaMA-Factory's command line; gradients come through here, by the same code,
so that all three see identical tokens. Validation rows end as training rows do.
"""

import difflib
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from instruction_selection.errors import InputError
from instruction_selection.finetuning import LLAMAFACTORY_COLUMNS
from instruction_selection.missing import stand_in_for

# LLaMA-Factory imports torchaudio for its multimodal models, and no torchaudio loads beside a CPU-only torch.
stand_in_for("torchaudio", "text models do not use it")

from llamafactory.data.converter import AlpacaDatasetConverter  # noqa: E402
from llamafactory.data.parser import DatasetAttr  # noqa: E402
from llamafactory.data.processor.supervised import SupervisedDatasetProcessor  # noqa: E402
from llamafactory.data.template import TEMPLATES, get_template_and_fix_tokenizer  # noqa: E402
from llamafactory.extras.constants import IGNORE_INDEX  # noqa: E402  (re-exported)
from llamafactory.hparams import DataArguments  # noqa: E402


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


def _known(template: str) -> str:
    if template not in TEMPLATES:
        close = difflib.get_close_matches(template, TEMPLATES, n=3)
        known = f"did you mean {' or '.join(close)}" if close else f"known: {', '.join(sorted(TEMPLATES))}"
        raise InputError(f"template: LLaMA-Factory has no template {template!r} ({known}).")
    return template
