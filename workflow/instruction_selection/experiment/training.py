"""Files of config/training, and what an experiment's own settings make of them."""

import re
from typing import Annotated, Any, ClassVar, Literal, LiteralString

from pydantic import Field, model_validator

from instruction_selection.experiment import llamafactory
from instruction_selection.experiment.base import Arguments, Count, Entry, Execution, Number, problem

#: LLaMA-Factory's arguments that the workflow sets.
SET_BY_WORKFLOW = {
    *("model_name_or_path", "do_train", "dataset", "dataset_dir", "template", "cutoff_len", "output_dir"),
    *("save_strategy", "save_total_limit", "seed", "use_cpu"),
}
#: Others that may not be given, by what is wrong with them: (code, pattern of the whole name, why).
REJECTED: list[tuple[LiteralString, str, str]] = [
    ("remote-code", "trust_remote_code", "it runs code that comes with a model"),
    ("secret", ".*(token|api_key|secret|password)", "secrets belong in the environment, where they are not recorded"),
    (
        "writes-elsewhere",
        "push_to_hub.*|(export|logging|cache|save|profiler_output)_dir|tokenized_path|.*logdir|ray_.*",
        "it writes outside of `results`",
    ),
]

Positive = Annotated[Number, Field(gt=0)]


class TrainingArguments(Arguments):
    """LLaMA-Factory arguments, of which few have types here; their defaults are LLaMA-Factory's."""

    num_train_epochs: Positive = 3
    """Epochs."""
    learning_rate: Positive = 5e-5
    """The highest learning rate."""
    logging_steps: Count = 500
    """Updates per line of the log."""
    finetuning_type: Literal["lora", "full"] = "lora"
    """Whether an adapter is trained or all weights."""
    lora_rank: Count = 8
    """Rank of the adapter's matrices."""
    lora_alpha: Positive | None = None
    """The adapter's scale, times its rank; twice the rank if left out."""
    deepspeed: Execution[str | None] = None
    """DeepSpeed configuration of several processes; one alone trains without it. Sets memory, not the result."""

    @model_validator(mode="before")
    @classmethod
    def _only_what_may_be_given(cls, given: Any) -> Any:
        for key, value in given.items() if isinstance(given, dict) else ():
            if key == "gradient_accumulation_steps":
                raise problem("set-by-workflow", "it follows from effective_batch; remove it", key)
            if key in SET_BY_WORKFLOW:
                raise problem("set-by-workflow", "the workflow sets it; remove it", key)
            for code, pattern, why in REJECTED:
                if re.fullmatch(pattern, key):
                    raise problem(code, f"{why}; remove it", key)
            if key not in cls.model_fields and (wrong := llamafactory.problem_of(key, value)):
                raise wrong
        return given


class TrainingOverrides(TrainingArguments):
    """LLaMA-Factory arguments of one experiment."""

    effective_batch: Count | None = None
    """Rows per optimizer step."""
    per_device_train_batch_size: Execution[Count | None] = None
    """Rows that one GPU computes at once."""


class Training(Entry, TrainingArguments):
    """LLaMA-Factory arguments.

    Those that the workflow sets itself (model, data, template, cutoff_len, output, seed) may not be given, nor those
    that would run code of a model's repository, write outside of `results`, or hold a secret. An experiment's own
    `training` block overrides single keys. Of the many arguments these have types here; their defaults are
    LLaMA-Factory's.
    """

    FOLDER: ClassVar[str] = "training"

    effective_batch: Count
    """Rows per optimizer step. However many GPUs train, they share it: gradients are accumulated over effective_batch /
    (per_device_train_batch_size * GPUs) steps, which has to be a whole number."""
    per_device_train_batch_size: Execution[Count]
    """Rows that one GPU computes at once. Sets memory, not the result."""

    def adapted_layers(self) -> list[str]:
        """The layers that are to get an adapter, by the ends of their names; `all` is every linear layer."""
        if self.finetuning_type != "lora":
            return []
        return [target.strip() for target in str(self.plain().get("lora_target", "all")).split(",")]
