"""The GPUs and threads of a job, as the experiment assigns them to stages."""

from instruction_selection.core.features import FEATURES
from instruction_selection.experiment.method import Method
from instruction_selection.experiment.settings import Settings

#: The stage, a key of the experiment's `gpus` and `threads`, that a rule belongs to. Other rules have one thread.
STAGE_OF_RULE = {
    "warmup": "training",
    "finetune": "training",
    **{
        feature.rule: "embeddings" if feature.made_by == "encoder" else "gradients"
        for feature in FEATURES.values()
        if feature.rule
    },
    "select_rows": "selection",
    "evaluate": "evaluation",
    "evaluate_with_vllm": "evaluation",
}


def devices(rule: str, settings: Settings, method: Method | None = None) -> tuple[int, int]:
    """(GPUs, threads) of one job of a rule, summed over its nodes; `settings` are an experiment's.

    `method` is a selection's, on which its GPUs depend; other jobs need none.
    """
    stage = STAGE_OF_RULE.get(rule)
    nodes = settings.nodes.training if stage == "training" else 1
    gpus = getattr(settings.gpus, stage or "", 0) * nodes
    if stage == "selection" and not (method and method.on_gpu):
        gpus = 0
    return gpus, getattr(settings.threads, stage or "", 1) * nodes


def workers(rule: str, gpus: int, threads: int) -> int:
    """How many of a job's GPUs, or of its threads without any, share its work. GPUs of a split model take turns."""
    return (gpus if STAGE_OF_RULE.get(rule) == "training" else min(gpus, 1)) or threads
