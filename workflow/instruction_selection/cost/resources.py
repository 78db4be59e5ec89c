"""Memory (MB of 10^6 bytes, as Snakemake's `mem_mb`) and time (minutes) that a job asks a cluster for.

Both are the high end of what `prices` expect, times a safety factor, so that the first attempt is enough. Finished runs
do not change them. The rules multiply them by the number of the attempt.

For Llama-3.1-8B in the paper's grid (pools of 1e6 rows in 64 shards and of 1e5 rows; 4 GPUs train, one computes
gradients or selects):

    fine-tuning   98 GB; 10 h for 5 % of the large pool, 195 h for all of it, resumed after each kill
    gradients     24 GB; 2.4 h per shard of the large pool
    selection     14 GB and 57 minutes for 5 % of the large pool by a walk (on 16 threads instead, 17 GB and 2.0 h)
    evaluation    24 GB; 5.3 h for BBH
"""

import math

from instruction_selection.cost import duration, jobs, prices
from instruction_selection.experiment import machines
from instruction_selection.experiment.experiment import Experiment

#: Limits over the high end of the estimate.
TIME_SAFETY = 1.25
MEMORY_SAFETY = 1.3
#: Minutes added to every limit, for slow file systems and for compiling at first use.
EXTRA_MINUTES = 10


def runtime_minutes(experiment: Experiment, rule: str, wildcards: dict[str, str]) -> int:
    """Time limit of a job of one of `machines.STAGE_OF_RULE`."""
    gpus, threads = jobs.devices(experiment, rule, wildcards)
    job = jobs.job(experiment, rule, wildcards)
    workers = machines.workers(rule, gpus, threads)
    seconds = duration.default_cost(job.stage, gpus > 0).seconds(job, workers).high
    return EXTRA_MINUTES + math.ceil(TIME_SAFETY * seconds / 60)


def memory_mb(experiment: Experiment, rule: str, wildcards: dict[str, str]) -> int:
    """Host memory of a job of one of `machines.STAGE_OF_RULE`, on one node."""
    stage, settings = machines.STAGE_OF_RULE[rule], experiment.settings
    if stage == "selection":
        return settings.selection.memory_mb or _selection_mb(experiment, wildcards)
    if stage == "embeddings":
        return _with_safety(prices.TORCH_MB.high + prices.PYTHON_MB.high + _text_mb(jobs.rows(experiment, wildcards)))
    gpus = getattr(settings.gpus, stage)
    memory = model_mb(jobs.parameters(experiment, wildcards), stage, gpus)
    if stage == "training" and gpus * settings.nodes.training > 1:
        memory += _with_safety(prices.DEEPSPEED_COMPILER_MB.high)
    return memory


def model_mb(parameters: int, stage: str, gpus: int) -> int:
    """Host memory of a job with a model; in a training, every one of `gpus` has a process with it."""
    weights = parameters * prices.WEIGHT_BYTES_PER_PARAMETER[stage, gpus > 0].high / 1e6
    return (max(1, gpus) if stage == "training" else 1) * _with_safety(prices.TORCH_MB.high + weights)


def rows_mb(rows: int) -> int:
    """Host memory of a job that holds the text of `rows` and uses no torch."""
    return _with_safety(prices.PYTHON_MB.high + _text_mb(rows))


def index_mb(rows: int, on_gpu: bool = False) -> int:
    """What a selection keeps of the examples of a pool of `rows`, and torch for a GPU, without a safety factor."""
    return math.ceil(_index_mb(rows) + _gpu_mb(on_gpu))


def method_mib(mem_mb: int, pool_index_mb: int) -> int:
    """What a selection method may use of its job's `mem_mb`, in MiB (2^20 bytes).

    A method fills what it is given with cached rows, so the safety margin and the pool's index are taken off.
    """
    return max(0, int((mem_mb / MEMORY_SAFETY - pool_index_mb) * 1e6)) >> 20


def _selection_mb(experiment: Experiment, wildcards: dict[str, str]) -> int:
    """An index of the rows, a walk's copies of their features, and what it keeps of each row.

    With a GPU the copies are there, and the host caches rows in place of some of them.
    """
    rows = jobs.rows(experiment, wildcards)
    numbers = jobs.feature_numbers(experiment, wildcards["method"])
    on_gpu, _ = jobs.devices(experiment, "select_rows", wildcards)
    per_number = prices.CACHED_BYTES_PER_NUMBER if on_gpu else prices.COPY_BYTES_PER_NUMBER
    per_row = numbers * per_number.high + prices.WALK_BYTES_PER_ROW.high
    fixed = prices.PYTHON_MB.high + prices.SELECTION_MB.high + _gpu_mb(on_gpu > 0)
    return _with_safety(fixed + _index_mb(rows) + rows * per_row / 1e6)


def _gpu_mb(on_gpu: bool) -> float:
    return prices.TORCH_MB.high if on_gpu else 0


def _index_mb(rows: int) -> float:
    return rows * prices.INDEX_BYTES_PER_EXAMPLE.high / 1e6


def _text_mb(rows: int) -> float:
    return rows * prices.TEXT_BYTES_PER_ROW.high / 1e6


def _with_safety(megabytes: float) -> int:
    return math.ceil(MEMORY_SAFETY * megabytes)
