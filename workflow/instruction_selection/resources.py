"""What a job asks of a cluster, from the size of model and data: memory in MB, runtime in minutes.

Every unit cost is stated once, with where it comes from. The estimates are meant to be enough at the first attempt, and
the rules multiply them by the number of the attempt, so that a job that was killed for memory or time comes back with
more.

What that makes of the paper's grid (8e9 parameters; pools of 1e6 rows in 64 shards and of 1e5 rows; 4 GPUs train, one
computes gradients; 16 threads select):

    training    78 GB; 5.3 h for 5 % of the large pool, 103 h for all of it, resumed after each kill
    gradients   19 GB; 2.3 h per shard of the large pool
    selection   21 GB and 1.6 h for 5 % of the large pool by a walk; 6 GB and 11 minutes of a small one
"""

import math
from pathlib import Path

#: MB of a process with torch and transformers, its batches included. Measured on a CPU beyond SmolLM2-135M's weights:
#: 2.3 GB in fine-tuning, 1.8 GB for gradients, 1.2 GB in evaluation.
TORCH = 3000
#: MB of a process without them: Snakemake, which runs inside of every job (130 MB), NumPy, h5py, scikit-learn (260 MB).
PYTHON = 1000
#: MB of a selection besides: numba, blocks of rows, what a walk knows of them (walk/quantised.py).
SELECTION = 2500
#: MB of the compiler that DeepSpeed starts at first use, where there is no GPU. Assumed.
COMPILER = 2000
#: Bytes per row of text, as Python objects. Assumed.
ROW = 8000
#: Bytes of host memory per parameter: in bfloat16 on the way to a GPU; in float32 with a copy where there is none.
BYTES_PER_PARAMETER = {True: 2, False: 8}
#: Operations per parameter and token: forward, again for recomputed activations, and backward through frozen weights.
OPERATIONS = 6
#: Operations per second: a sixth of an A100's peak in bfloat16, assumed; one thread with SmolLM2-135M, measured
#: (175 tokens per second on two).
SPEED = {True: 5e13, False: 7e10}
#: Tokens of a row, unless the experiment cuts it shorter. Assumed.
TOKENS = 512
#: Tokens read and generated for an evaluated row. Assumed; reading costs a third of training, generating, which waits
#: for memory, as much as reading twenty times as many tokens.
PROMPT, ANSWER = 1000, 256
#: Rows per second that a sentence encoder embeds: on a GPU, assumed; on one thread, measured with all-MiniLM-L6-v2.
EMBEDDED = {True: 1000, False: 40}
#: Bytes of its copies that a walk passes over per second and thread. Assumed; two threads passed over 47e9.
BANDWIDTH = 5e9
#: Minutes to import, load and compile.
START = 10


def has_gpu() -> bool:
    """Whether this machine shows a GPU that torch could use, by its device files: nothing slow is imported."""
    return any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/kfd").exists()


def data_memory(rows: int) -> int:
    """MB of a job that holds `rows` of text."""
    return PYTHON + math.ceil(rows * ROW / 1e6)


def model_memory(parameters: int, gpus: int) -> int:
    """MB of host memory of a job in which every GPU, or the processor, has a process with the model."""
    return max(1, gpus) * (TORCH + math.ceil(parameters * BYTES_PER_PARAMETER[gpus > 0] / 1e6))


def training_runtime(parameters: int, rows: float, cutoff_len: int, gpus: int, threads: int) -> int:
    """Minutes of a forward and a backward pass for each of `rows`, of which every epoch counts."""
    operations = OPERATIONS * parameters * rows * min(TOKENS, cutoff_len)
    return START + math.ceil(operations / (SPEED[gpus > 0] * (gpus or threads)) / 60)


def evaluation_runtime(parameters: int, rows: int, gpus: int, threads: int) -> int:
    """Minutes to evaluate `rows`, each with a generated answer."""
    operations = OPERATIONS / 3 * parameters * rows * (PROMPT + 20 * ANSWER)
    return START + math.ceil(operations / (SPEED[gpus > 0] * (gpus or threads)) / 60)


def embedding_memory(rows: int) -> int:
    """MB of a sentence encoder and the rows that it embeds."""
    return TORCH + data_memory(rows)


def embedding_runtime(rows: int, gpus: int, threads: int) -> int:
    """Minutes to embed `rows`."""
    return START + math.ceil(rows / EMBEDDED[gpus > 0] / (gpus or threads) / 60)


def selection_memory(rows: int, dimension: int) -> int:
    """MB of the rows' text, of a walk's copies of their gradients (a byte per number), and of what it knows of them."""
    return data_memory(rows) + SELECTION + math.ceil(rows * (dimension + 1100) / 1e6)


def selection_runtime(rows: int, dimension: int, chosen: float, threads: int) -> int:
    """Minutes of a walk that passes over its copies for every chosen row: the slowest method, at its slowest."""
    return START + math.ceil(rows * dimension * chosen / BANDWIDTH / threads / 60)
