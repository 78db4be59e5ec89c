"""Rows that are read from files by templates."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from instruction_selection.experiment.base import Distinct, List, Section, problem
from instruction_selection.experiment.sources import RowSource


def _compiles(template: str) -> str:
    # Jobs whose environment has no Jinja import this module, too; Snakemake, which reads the files, always has it.
    from instruction_selection.data import templates

    try:
        templates.compiled(template)
    except templates.NOT_COMPILED as error:
        raise problem("template", f"not a Jinja template ({str(error) or type(error).__name__})") from error
    return template


Template = Annotated[str, AfterValidator(_compiles)]


class Rows(Section):
    """Rows that are read from files.

    task, instruction and response are Jinja templates over a record's columns; `record` is the record itself, `path`
    the name, stem, suffix and parent of its file, and `document` the whole of a JSON or YAML file in which records have
    a `key`. The filter `shuffled` reorders a list in a way that depends on its values only, and
    regex_replace(pattern, replacement) is Python's re.sub. Templates write text and numbers; a record of which one
    writes a null or NaN is left out, and so is one without visible text in instruction or response.
    """

    source: RowSource
    """Where the files are."""
    member: str | None = None
    """The file to read inside zip archives, as a pattern."""
    columns: Annotated[List[str], Field(min_length=1)] | None = None
    """Names of the columns, for tables without a header."""
    key: str | None = None
    """Where a JSON or YAML file has its list of records, with dots between levels."""
    task: Template = "all"
    """Template of the subtask's name."""
    draw: Literal["by_task", "uniform"] = "by_task"
    """How rows are drawn where fewer are wanted than there are: by_task keeps the proportions of the tasks exactly,
    uniform draws from all rows at random, whatever their task."""
    control_tokens: Literal["drop", "keep"] = "drop"
    """What happens to rows whose text has a control token of a chat model (<|im_end|>, [INST] and others), which
    tokenizers do not read as text: drop leaves them out and counts them, keep uses them."""
    overlap_text: Template | None = None
    """Template of what is compared to find the same question among other rows, where `instruction` has other text
    around it; by default the instruction."""
    keep: Distinct[str] | Literal["all"] = ()
    """Columns of the source that the rows keep, as `record`, so that a selection has them; `all` keeps every one.
    Evaluation rows keep all in any case."""
    instruction: Template | None = None
    """Template of what the model is asked."""
    response: Template | None = None
    """Template of what it should answer."""
    system: Template | None = None
    """Template of a system prompt, which may be empty."""
    messages: str | None = None
    """Column with a chat, in place of `instruction`, `response` and `system`: a list of turns that have `role` and
    `content`, or `from` and `value` (ShareGPT). The last answer is the response, on which alone the loss is taken; what
    comes before it is the instruction, and turns after it are left out."""

    @model_validator(mode="after")
    def _text_comes_from_somewhere(self) -> Self:
        for key in ("instruction", "response"):
            if not self.messages and getattr(self, key) is None:
                raise problem("missing-key", "is missing; only rows with `messages` may leave it out", key)
        for key in ("instruction", "response", "system"):
            if self.messages and getattr(self, key) is not None:
                raise problem("two-texts", "`messages` has the text already; remove one", key)
        return self
