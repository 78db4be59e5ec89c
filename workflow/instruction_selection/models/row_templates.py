"""Templates of this project, registered with LLaMA-Factory: `alpaca_bos` and `smollm_eot`.

They write the text of LLaMA-Factory's `alpaca` and `smollm`, with three differences, so that training, gradients and
the harness use the same tokens, and a model learns to stop where generation stops:

- `alpaca_bos` puts the model's beginning-of-sequence token first, which `alpaca` omits.
- An example's labels end with the answer's end-of-turn token; the line breaks between turns are not learnt.
- `tokenizer` is the model's own chat template.
- Text between special tokens is encoded in one piece, as the harness encodes it. SentencePiece tokenizers may add a
  space at the start of every piece.
"""

from dataclasses import dataclass

from jinja2 import TemplateError
from llamafactory.data.data_utils import SLOTS, Role
from llamafactory.data.formatter import EmptyFormatter
from llamafactory.data.template import TEMPLATES, Template, register_template
from transformers import PreTrainedTokenizer

from instruction_selection.core.errors import InputError

#: What to do about a chat template that cannot be used.
ANOTHER = "name LLaMA-Factory's template of this family instead"


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


@dataclass
class OfTokenizer(Template):
    """The chat template that the tokenizer has.

    LLaMA-Factory can guess a template of its own from a tokenizer's (`parse_template`), but what that writes differs
    for most families: it loses text after a beginning-of-sequence token, needs a system turn, and keeps white space
    that a template trims. So this one asks the tokenizer itself for the text of each turn.
    """

    def _encode(
        self, tokenizer: PreTrainedTokenizer, messages: list[dict[str, str]], system: str | None, tools: str | None
    ) -> list[list[int]]:
        turns = [{"role": "system", "content": system}] if system else []
        written, pieces = "", []
        for message in messages:
            turns.append({"role": message["role"], "content": message["content"]})
            text = self._written(tokenizer, turns)
            if not text.startswith(written):
                sentence = "the model's chat template writes earlier turns anew when another follows"
                raise InputError("chat-template-not-by-turns", f"{sentence}; {ANOTHER}", key="template")
            pieces.append(text[len(written) :])
            written = text
        pieces[-1] = self._ended(tokenizer, pieces[-1], messages[-1]["content"].strip())
        return [tokenizer.encode(piece, add_special_tokens=False) for piece in pieces]

    @staticmethod
    def _written(tokenizer: PreTrainedTokenizer, turns: list[dict[str, str]]) -> str:
        """All turns as text; after a question, up to where the answer begins."""
        asks = turns[-1]["role"] != Role.ASSISTANT
        try:
            return str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=asks))
        except TemplateError as error:
            sentence = f"the model's chat template rejects a row with {turns[0]['role']} first ({error}); {ANOTHER}"
            raise InputError("chat-template-rejects-turns", sentence, key="template") from error

    @staticmethod
    def _ended(tokenizer: PreTrainedTokenizer, answer: str, content: str) -> str:
        """An answer up to the first special token after its text."""
        added = [token.content for token in tokenizer.added_tokens_decoder.values() if token.special]
        start = answer.find(content) + len(content)
        found = ((answer.find(token, start), token) for token in {*added, *tokenizer.all_special_tokens})
        end = min((place + len(token) for place, token in found if place >= 0), default=None)
        if end is None:
            sentence = "the model's chat template ends no answer with a special token, so no end is learnt"
            raise InputError("template-without-end", f"{sentence}; {ANOTHER}", key="template")
        return answer[:end]


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
register_template("tokenizer", template_class=OfTokenizer)
