"""One example in tokens, for modules that work without LLaMA-Factory."""

from dataclasses import dataclass

#: The label of a token that is not predicted: torch's default, and LLaMA-Factory's.
IGNORE_INDEX = -100


@dataclass(frozen=True)
class TokenizedExample:
    """One example as the model reads it: two lists of one length. `labels` is IGNORE_INDEX outside the response."""

    input_ids: list[int]
    labels: list[int]

    @property
    def response_tokens(self) -> int:
        """The number of tokens that the loss averages over. The first token of an example is never predicted."""
        return sum(label != IGNORE_INDEX for label in self.labels[1:])
