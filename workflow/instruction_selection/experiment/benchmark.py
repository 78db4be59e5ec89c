"""Files of config/benchmarks."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from instruction_selection.experiment import program_names
from instruction_selection.experiment.base import (
    About,
    Arguments,
    Count,
    Distinct,
    Entry,
    Execution,
    Label,
    List,
    Matching,
    ModuleName,
    Number,
    PathBelow,
    Section,
    problem,
)
from instruction_selection.experiment.pool import one_origin
from instruction_selection.experiment.rows import Rows
from instruction_selection.experiment.sources import Source
from instruction_selection.experiment.suggestions import did_you_mean

#: Keys of a task of lm-eval that are filled in.
FILLED_IN = {
    *("task", "group", "dataset_path", "dataset_name", "dataset_kwargs", "custom_dataset"),
    *("training_split", "fewshot_split", "validation_split", "test_split"),
}
#: What a task of lm-eval must have that includes no other.
COMPLETE = ("output_type", "doc_to_text", "doc_to_target", "metric_list")
#: Its Jinja templates.
TEMPLATES = ("description", "doc_to_text", "doc_to_target", "doc_to_choice", "gen_prefix")


class HarnessMetric(Arguments):
    """A metric in lm-eval's own keys."""

    metric: Annotated[str, Matching("(?!code_eval$)[A-Za-z0-9_]+", "the name of a metric that runs nothing")]
    """One of lm-eval's own; others are programs that it would fetch and run."""


class HarnessTask(Arguments):
    """A task in lm-eval's own keys."""

    include: PathBelow | None = None
    """A task to start from, relative to lm-eval's own; with {task} in it, there is one lm-eval task per subtask."""
    output_type: Literal["loglikelihood", "loglikelihood_rolling", "multiple_choice", "generate_until"] | None = None
    """What lm-eval asks of the model."""
    metric_list: List[HarnessMetric] | None = None
    """What lm-eval computes."""
    end_of_turn: bool = False
    """This workflow's own key, for the output type `loglikelihood`: whether the end of turn that training puts after an
    answer is scored with it. lm-eval's `acc` then says whether greedy decoding gives the answer and ends there, and
    without it only whether it begins with the answer."""

    @model_validator(mode="before")
    @classmethod
    def _only_what_may_be_given(cls, given: Any) -> Any:
        for key, value in given.items() if isinstance(given, dict) else ():
            if key in FILLED_IN:
                raise problem("set-by-workflow", "the workflow sets it; remove it", key)
            if key == "unsafe_code":
                raise problem("unsafe-code", "tasks that run what a model writes stay off; remove it", key)
            keys = {*program_names.names()["task_keys"], *cls.model_fields}
            if key not in keys:
                raise problem("unknown-key", f"lm-eval's tasks have no such key{did_you_mean(key, keys)}", key)
            if key in TEMPLATES and (why := _not_compiled(value)):
                raise problem("template", f"not a Jinja template ({why})", key)
        return given

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        for key in () if self.include else COMPLETE:
            if key not in self.model_fields_set:
                raise problem("missing-key", "is missing; only a task with `include` may leave it out", key)
        if self.end_of_turn and (self.include or self.output_type != "loglikelihood"):
            raise problem("end-of-turn", "is for the output type loglikelihood, without `include`", "end_of_turn")
        return self


def _not_compiled(value: Any) -> str | None:
    """Why lm-eval cannot compile a template, or one of a list of them.

    It is only parsed: Jinja computes what is constant when it compiles, and 9**9**9 would take forever.
    """
    # As for templates of rows, Snakemake always has it, and other jobs may not.
    import jinja2.nodes

    environment = jinja2.Environment()
    # lm-eval's own.
    filters = {*environment.filters, "regex_replace"}
    for template in value if isinstance(value, list) else [value]:
        try:
            parsed = environment.parse(str(template))
        except jinja2.TemplateSyntaxError as error:
            return error.message
        for node in parsed.find_all(jinja2.nodes.Filter):
            if node.name not in filters:
                return f"no filter {node.name!r}{did_you_mean(node.name, filters)}"
    return None


class Metric(Section):
    """A column of the table."""

    name: Label
    """Key in this project's results, and by default lm-eval's name of the metric."""
    task: str
    """Which of the tasks under `harness` gives it."""
    metric: str | None = None
    """lm-eval's name of the metric, if it is not `name`."""
    filter: str = "none"
    """lm-eval's filter of answers."""
    label: About[Label]
    """Column heading."""
    scale: About[Number] = 1
    """Factor for display; 100 shows a share as per cent."""
    higher_is_better: About[bool] = True
    """Direction."""


class Benchmark(Entry):
    """A target task.

    Validation rows to select by, held-out rows to score on, and how the harness scores them. Rows are made by a
    `reader` for its `tasks`, or read from the files of `validation` and `evaluation`. A target that is only selected
    for (`snakemake select`) needs no `evaluation`, `harness` and `metrics`.
    """

    FOLDER: ClassVar[str] = "benchmarks"

    label: About[Label]
    """Name in tables."""
    summary: About[str]
    """One sentence."""
    license: About[str] = "unknown"
    """SPDX identifier or name of the license."""
    tokens: Execution[Count] = 512
    """Tokens of a row with its response, on average; for `snakemake estimate` only."""
    prompt_tokens: Execution[Count | None] = None
    """Tokens that are read to evaluate a row, if they are not `tokens`, because examples come before it or several
    tasks read it; for `snakemake estimate` only."""
    generated_tokens: Execution[Annotated[int, Field(ge=0)]] = 0
    """Tokens that a model writes for an evaluated row, on average; for `snakemake estimate` only."""
    reader: ModuleName | None = None
    """Which module of instruction_selection/data/readers makes its rows ('-' for '_')."""
    tasks: Distinct[str] = ()
    """Subtasks that the reader makes. Pool rows of these tasks count as the target's own family."""
    validation: Rows | None = None
    """Where validation rows are read from, if no reader makes them."""
    evaluation: Rows | None = None
    """Where held-out rows are read from, if no reader makes them."""
    shared_source: bool = False
    """Whether validation and evaluation rows are drawn from the same rows; what is drawn for validation is then left
    out of the evaluation."""
    fewshot: Rows | None = None
    """Rows from which lm-eval takes the examples in a prompt, as its split `train`; all of them."""
    harness: dict[Annotated[str, Matching("[a-z0-9_]+", "a name of a-z, 0-9 and '_'")], HarnessTask] = {}
    """lm-eval tasks by name, in lm-eval's own keys; the task's name and the data set are filled in. A document has the
    fields id, task, instruction and response, and the columns of its source. Scores of an `include` with {task} in it
    are means over all samples. Without `include`, the output type `loglikelihood` scores the tokens that training has
    labels for."""
    metrics: List[Metric] = ()
    """Columns of the table, from lm-eval's metrics; the first one ranks."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        evaluated = {"harness": self.harness, "metrics": self.metrics}
        if any((*evaluated.values(), self.evaluation)):
            for key, value in evaluated.items():
                if not value:
                    raise problem("missing-key", "is missing, and an evaluated benchmark needs it", key)
        if self.harness or self.evaluation:
            one_origin(self.reader, self.tasks, validation=self.validation, evaluation=self.evaluation)
        else:
            one_origin(self.reader, self.tasks, validation=self.validation)
        for name, rows in {"evaluation": self.evaluation, "fewshot": self.fewshot}.items():
            if rows and (rows.messages or rows.system):
                sentence = "the harness asks single questions; use `instruction` and `response`"
                raise problem("chat-not-evaluated", sentence, f"{name}.{'messages' if rows.messages else 'system'}")
        for number, metric in enumerate(self.metrics):
            if metric.task not in self.harness:
                sentence = f"{metric.task!r} is not among the tasks of `harness` ({', '.join(self.harness)})"
                raise problem("unknown-task", sentence, f"metrics.{number}.task")
            for key in ("name", "label"):
                value = getattr(metric, key)
                if value in (getattr(earlier, key) for earlier in self.metrics[:number]):
                    raise problem("duplicate", f"{value!r} is the {key} of two metrics", f"metrics.{number}.{key}")
        return self

    def sources(self) -> dict[str, Source]:
        """Where its files come from, by the key that says so."""
        blocks = {"validation": self.validation, "evaluation": self.evaluation, "fewshot": self.fewshot}
        return {name: rows.source for name, rows in blocks.items() if rows}
