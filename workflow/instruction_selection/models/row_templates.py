"""Templates of this project, registered with LLaMA-Factory: `alpaca_bos` and `smollm_eot`.

They write the text of LLaMA-Factory's `alpaca` and `smollm`, with three differences, so that training, gradients and
the harness use the same tokens, and a model learns to stop where generation stops:

- `alpaca_bos` puts the model's beginning-of-sequence token first, which `alpaca` omits.
- An example's labels end with the answer's end-of-turn token; the line breaks between turns are not learnt.
- Text between special tokens is encoded in one piece, as the harness encodes it. SentencePiece tokenizers may add a
  space at the start of every piece.
"""

from dataclasses import dataclass

from llamafactory.data.data_utils import SLOTS
from llamafactory.data.formatter import EmptyFormatter
from llamafactory.data.template import TEMPLATES, Template, register_template
from transformers import PreTrainedTokenizer


@dataclass
class EndsWithTurn(Template):
    """A template whose last answer ends with its end-of-turn token."""

    def _encode(
        self, tokenizer: PreTrainedTokenizer, messages: list[dict[str, str]], system: str | None, tools: str | None
    ) -> list[list[int]]:
        *earlier, answer = super()._encode(tokenizer, messages, system, tools)
        stops = self.get_stop_token_ids(tokenizer)
        end = max(place for place, token in enumerate(answer) if token in stops)
        return [*earlier, answer[: end + 1]]

    def _convert_elements_to_ids(self, tokenizer: PreTrainedTokenizer, elements: SLOTS) -> list[int]:
        pieces: list[str | set[str] | dict[str, str]] = []
        for element in elements:
            if isinstance(element, str) and pieces and isinstance(pieces[-1], str):
                pieces[-1] += element
            else:
                pieces.append(element)
        return super()._convert_elements_to_ids(tokenizer, pieces)


def _register(name: str, original: Template, prefix: EmptyFormatter | None = None) -> None:
    register_template(
        name,
        format_user=original.format_user,
        format_assistant=original.format_assistant,
        format_system=original.format_system,
        format_prefix=prefix or original.format_prefix,
        default_system=original.default_system,
        stop_words=original.stop_words,
        replace_jinja_template=original.replace_jinja_template,
        template_class=EndsWithTurn,
    )


_register("alpaca_bos", TEMPLATES["alpaca"], EmptyFormatter(slots=[{"bos_token"}]))
_register("smollm_eot", TEMPLATES["smollm"])
