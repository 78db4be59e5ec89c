"""Exact overlap, ignoring case and white space, between evaluation examples and examples that training may use."""

from collections.abc import Iterable

from instruction_selection.core.errors import InputError
from instruction_selection.core.example import Example


def find(evaluation: list[Example], others: dict[str, Iterable[Example]]) -> dict[str, list[tuple[str, str]]]:
    """The overlapping pairs of ids, by file: (id in that file, id of the same evaluation example).

    `others` maps a file's name to its examples. Their `overlap_text` is compared where they have one, else their
    instruction.
    """
    held_out = {_folded(example): example["id"] for example in evaluation}
    return {
        name: [(example["id"], held_out[_folded(example)]) for example in examples if _folded(example) in held_out]
        for name, examples in others.items()
    }


def reject(found: dict[str, list[tuple[str, str]]]) -> None:
    """Raise `InputError` naming the first overlap, if there is any."""
    for name, pairs in found.items():
        for example, held_out in pairs:
            raise InputError(
                "overlap",
                f"has the same instruction as evaluation example {held_out}; the score would measure memorisation",
                path=name,
                key=f"example {example}",
            )


def _folded(example: Example) -> str:
    return " ".join(example.get("overlap_text", example["instruction"]).casefold().split())
