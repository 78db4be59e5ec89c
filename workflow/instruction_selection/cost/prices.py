"""The one list of unit costs. Time limits, memory limits and the estimate all follow from it.

Every price says in which unit it is, how it is known, and in what range we expect it. What nobody measured says
"assumed"; where a source gives one measurement, it is the typical value, and the range around it is assumed. "Demo" is
the demo experiment with SmolLM2-135M and all-MiniLM-L6-v2, two jobs at a time of one thread each, on two cores of an
AMD EPYC (Zen 5).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Price:
    """A unit cost in `unit`: its expected range and typical value; `source` says how it is known."""

    low: float
    typical: float
    high: float
    unit: str
    source: str


def _fixed(value: float, unit: str, source: str) -> Price:
    return Price(value, value, value, unit, source)


# ---- Work ------------------------------------------------------------------------------------------------------------

#: What the work of each stage is counted in. A parameter-token is one token's forward and backward pass through one
#: parameter.
WORK_UNIT = {
    "training": "parameter-tokens",
    "gradients": "parameter-tokens",
    "embeddings": "rows",
    "selection": "bytes",
    "evaluation": "parameter-tokens",
}
#: Parameter-tokens of a forward pass: a third of the operations of forward and backward.
FORWARD_SHARE = 1 / 3
#: Tokens that could be read in the time in which one is written. Writing is limited by memory bandwidth.
READ_TOKENS_PER_WRITTEN_TOKEN = _fixed(
    6, "tokens", "measured: SmolLM2-135M on a CPU, batches of 16 with transformers; assumed for a GPU"
)
#: Passes over the features that a walk makes for each row that it selects. Others make one pass in total.
PASSES_PER_SELECTED_ROW = _fixed(
    1, "passes", "an upper limit; measured: 0.4 for 1 % of a million rows (docs/scaling.md)"
)
#: How often a walk reads a store whole.
WALK_READS = _fixed(2, "times", "counted: for its copies, and for products with the components")
#: Bytes that a GPU reads from its memory in the time in which a byte of a store is read from its file.
GPU_BYTES_PER_BYTE_READ = _fixed(700, "bytes", "assumed: 1e12 bytes per second over 1.4e9 (docs/scaling.md)")
#: Bytes of features that a thread reads in the time in which a method reads the text of a row and counts its words.
FEATURE_BYTES_PER_TEXT = _fixed(
    3e6, "bytes", "measured: 0.2 ms (BM25) and 0.35 ms (DSIR) per row of 350 words, one thread of an AMD EPYC (Zen 5)"
)

# ---- Time ------------------------------------------------------------------------------------------------------------

#: Of every job, before its own process starts.
DISPATCH_SECONDS = Price(2, 3, 5, "seconds per job", "measured: demo")
#: From the start of a job's process until it works, without reading weights, by stage and whether it has a GPU.
START_SECONDS = {
    ("training", False): Price(10, 16, 30, "seconds per job", "measured: demo"),
    ("gradients", False): Price(8, 15, 30, "seconds per job", "measured: demo"),
    ("embeddings", False): Price(4, 6, 15, "seconds per job", "measured: demo"),
    ("selection", False): Price(
        0.5, 1, 20, "seconds per job", "measured: demo; up to 20 where numba compiles, assumed"
    ),
    ("evaluation", False): Price(12, 20, 40, "seconds per job", "measured: demo"),
    ("training", True): Price(15, 30, 120, "seconds per job", "assumed"),
    ("gradients", True): Price(10, 20, 60, "seconds per job", "assumed"),
    ("embeddings", True): Price(5, 10, 30, "seconds per job", "assumed"),
    ("selection", True): Price(5, 10, 60, "seconds per job", "assumed; up to 60 where numba compiles"),
    ("evaluation", True): Price(20, 40, 180, "seconds per job", "assumed; the most is vLLM's"),
}
#: A model's weights from disk, two bytes per parameter.
WEIGHT_BYTES_READ_PER_SECOND = Price(2e8, 1e9, 3e9, "bytes per second", "assumed")
STORED_BYTES_PER_PARAMETER = _fixed(2, "bytes", "bfloat16")

#: Operations per parameter-token: forward, again for recomputed activations, and backward through frozen weights.
OPERATIONS_PER_PARAMETER_TOKEN = 6
_GPU_SOURCE = "assumed: 5e13 operations per second, a sixth of an A100's peak in bfloat16 (3.3e13 to 1.2e14)"


def _on_gpu(low_operations: float, typical_operations: float, high_operations: float, source: str) -> Price:
    operations = low_operations, typical_operations, high_operations
    low, typical, high = (value / OPERATIONS_PER_PARAMETER_TOKEN for value in operations)
    return Price(low, typical, high, "parameter-tokens per second and GPU", source)


#: Work per second and device, by stage and whether the device is a GPU; else it is a thread. `low` is slow.
WORK_PER_SECOND = {
    ("training", False): Price(
        1.2e10,
        2.3e10,
        3e10,
        "parameter-tokens per second and thread",
        "measured: 170 tokens per second in the demo (bfloat16); 88 in float32, batches of 8",
    ),
    ("gradients", False): Price(
        1.2e10, 2e10, 2.7e10, "parameter-tokens per second and thread", "measured: demo, 150 tokens per second"
    ),
    ("embeddings", False): Price(
        40, 70, 100, "rows per second and thread", "measured: all-MiniLM-L6-v2, 70 in the demo and 40 before"
    ),
    ("selection", False): Price(
        5e9,
        1e10,
        2.6e10,
        "bytes per second and thread",
        "measured: 2.6e10 per thread if two work (docs/scaling.md); assumed less if 16 share the memory",
    ),
    ("evaluation", False): Price(
        3e10, 6e10, 8e10, "parameter-tokens per second and thread", "measured: demo; larger batches than in training"
    ),
    ("training", True): _on_gpu(3.3e13, 5e13, 1.2e14, _GPU_SOURCE),
    ("gradients", True): _on_gpu(3.3e13, 5e13, 1.2e14, _GPU_SOURCE),
    ("embeddings", True): Price(500, 1000, 4000, "rows per second and GPU", "assumed"),
    ("selection", True): Price(
        2e11,
        1e12,
        1.6e12,
        "bytes per second and GPU",
        "assumed: half of a GPU's bandwidth (3.2e11 of a T4, 2e12 of an A100, 3.4e12 of an H100); the rest is the "
        "host's share of a step",
    ),
    ("evaluation", True): _on_gpu(
        1.8e13, 5e13, 1.5e14, "assumed, as in training; the least if a written token costs as much as 20 read ones"
    ),
}

# ---- Memory of the host ----------------------------------------------------------------------------------------------

PYTHON_MB = _fixed(
    800, "MB per job", "measured: Snakemake inside of the job 130, libraries without torch 260; open files, assumed 410"
)
TORCH_MB = Price(
    1200,
    1800,
    2300,
    "MB per process beside weights",
    "measured: SmolLM2-135M on a CPU, in evaluation, gradients and training",
)
SELECTION_MB = _fixed(2200, "MB per selection", "set: 2,048 MiB that a walk reserves beside its copies")
DEEPSPEED_COMPILER_MB = _fixed(2000, "MB per training by several processes", "assumed: its compiler, without a GPU")
#: What a selection keeps of an example whose text stays in its file.
INDEX_BYTES_PER_EXAMPLE = _fixed(
    500, "bytes", "counted: id, task, length and place in the file 100, and the ids of 5 stores; 70 per id"
)
#: A row of text, as Python objects.
TEXT_BYTES_PER_ROW = _fixed(6000, "bytes", "assumed: 512 tokens, as text and as objects")
#: A walk's copy of a number, and what else it keeps of a row.
COPY_BYTES_PER_NUMBER = _fixed(1, "bytes", "exact: int8")
CACHED_BYTES_PER_NUMBER = _fixed(
    0.5, "bytes", "set: a quarter of the rows, as stored, where a walk's copies are on a GPU"
)
WALK_BYTES_PER_ROW = _fixed(1100, "bytes", "counted: 30 bytes in each of 30 walks, and the row's norms")
#: Weights on the host, by stage and whether the job has a GPU, in every process.
WEIGHT_BYTES_PER_PARAMETER = {
    ("training", True): _fixed(2, "bytes", "bfloat16 on the way to the GPU"),
    ("gradients", True): _fixed(
        2, "bytes", "pages of the bfloat16 file on the way to the GPU; measured on a CPU, beside the float32 copy"
    ),
    ("evaluation", True): _fixed(2, "bytes", "bfloat16 on the way to the GPU"),
    ("training", False): _fixed(8, "bytes", "float32 and a copy; assumed"),
    ("gradients", False): _fixed(
        8, "bytes", "measured: 6.0 from a bfloat16 file into float32 (1.1 billion); 2 more from float32, assumed"
    ),
    ("evaluation", False): _fixed(8, "bytes", "float32 and a copy; assumed"),
}

# ---- Memory of a GPU -------------------------------------------------------------------------------------------------

CARD_SHARE = _fixed(0.9, "of a card's size", "assumed: what an allocator can use in spite of fragments")
CUDA_GIB = _fixed(1, "GiB per process", "assumed: CUDA, its libraries and NCCL take 0.5 to 1")
LONGEST_ROW = _fixed(2, "times the mean length", "assumed, for evaluations, whose rows have no cutoff_len")

# ---- Storage ---------------------------------------------------------------------------------------------------------

STORE_BYTES_PER_NUMBER = _fixed(2, "bytes", "exact: half precision")
TRAINED_BYTES_PER_NUMBER = _fixed(4, "bytes", "exact: float32")
#: Numbers of an adapter, per rank and parameter of the model to the power of 2/3.
ADAPTER_NUMBERS = Price(
    0.2, 0.3, 0.45, "numbers", "counted, for q, k, v and o: 0.44 for SmolLM2-135M, 0.21 for Llama-3.1-8B"
)
