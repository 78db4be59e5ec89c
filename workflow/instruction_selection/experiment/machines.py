"""The GPUs and threads of a job, as the experiment assigns them to stages."""

from pathlib import Path

from instruction_selection.core.features import FEATURES
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


def devices(rule: str, settings: Settings) -> tuple[int, int]:
    """(GPUs, threads) of one job of a rule, summed over its nodes; `settings` are an experiment's."""
    stage = STAGE_OF_RULE.get(rule)
    nodes = settings.nodes.training if stage == "training" else 1
    return getattr(settings.gpus, stage or "", 0) * nodes, getattr(settings.threads, stage or "", 1) * nodes


def workers(rule: str, settings: Settings) -> int:
    """How many GPUs, or threads without any, share the work of a job. Those of a split model take turns."""
    gpus, threads = devices(rule, settings)
    return (gpus if STAGE_OF_RULE.get(rule) == "training" else min(gpus, 1)) or threads


def has_gpu() -> bool:
    """Whether this machine has a GPU that torch could use, judged by device files, which needs no slow import."""
    return any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/kfd").exists()
