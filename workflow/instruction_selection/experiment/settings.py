"""Files of config/experiments, and config/config.yaml."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from instruction_selection.experiment.base import (
    About,
    Count,
    Distinct,
    Entry,
    Execution,
    Matching,
    Number,
    Section,
    Seed,
    problem,
)
from instruction_selection.experiment.training import TrainingOverrides


def _share_or_count(value: float) -> float:
    if value >= 1 and (value < 2 or value != int(value)):
        raise problem("out-of-range", "must be a share below 1 or a whole number of rows from 2, not {value}")
    return value


Names = Annotated[Distinct[str], Field(min_length=1)]
Seeds = Annotated[Distinct[Seed], Field(min_length=1)]
Ratio = Annotated[Number, Field(gt=0), AfterValidator(_share_or_count)]
Backend = Literal["hf", "vllm"]
#: Where neither the experiment nor a card says it.
DEFAULT_BATCH_TOKENS = 2048
OneGpu = Annotated[int, Field(ge=0, le=1)]


def _shape(value: Any) -> str:
    return "by pool" if isinstance(value, dict) else "for all pools"


Shards = Annotated[
    Annotated[Count, Tag("for all pools")] | Annotated[dict[str, Count], Tag("by pool")], Discriminator(_shape)
]


class Choice(Section):
    """Which experiment to run. Everything else is in the experiment's own file."""

    experiment: str
    """A file of config/experiments."""
    draw: Count | None = None
    """Which draw of it; without one, the experiment as its file says."""


class PoolRows(Section):
    """Sizes of a pool."""

    rows: Count | Literal["all"]
    """Rows to sample from the pool: a number, or `all` that its files have and that can be used."""


class TargetRows(Section):
    """Sizes of a target."""

    validation_rows: Count | Literal["all"]
    """Rows that the selection may look at: a number, or `all` that the files of `validation` have and that can be
    used."""
    evaluation_rows: Count | None = None
    """Held-out rows that the tuned models are scored on. Without it the target is only selected for, by
    `snakemake select`."""
    overlap: Literal["reject", "count"] = "reject"
    """What follows if a held-out row is also in the pool or among the validation rows: the run is rejected, or the rows
    are counted in overlap/<pool>.json. Big public pools have such rows."""
    backend: Backend | None = None
    """`evaluation.backend`, if this target has another."""


class Hub(Section):
    """Where public models and data come from."""

    cache: Execution[
        Annotated[
            str,
            Matching(
                r"(?!(.*/)?\.\.(/|$))[^{}*?\[\]\x00-\x1f\x7f]+",
                "a folder, without '..' and signs that have a meaning to Snakemake",
            ),
        ]
    ] = "results/hub"
    """Folder that `snakemake prefetch` fills and jobs read from; experiments share it."""
    mirror: Execution[Annotated[str, Matching(r"[^\x00-\x1f\x7f]+", "a folder")] | None] = None
    """Folder with the same files as the hub, to take them from without a network; laid out as data/hub.py says. The
    environment variable INSTRUCTION_SELECTION_MIRROR goes before it."""


class Warmup(Section):
    """The short training that gives Adam its moments (LESS, section 4.1; G2IS, appendix B.2)."""

    rows: Count
    """Random pool rows to train on."""
    checkpoints: Count = 1
    """Epochs, counted from the last, at whose ends gradients are taken. Methods with `checkpoints: last` (G2IS) read
    the end of the warm-up only. Those with `checkpoints: all` (LESS, LESS with round-robin, TAGCOS, GTP-style, GIST)
    average over all that are kept, each weighted with its epoch's mean learning rate; LESS was published with the 4 of
    4 epochs. Each one costs another pass of gradients over pool and target."""
    training: TrainingOverrides = TrainingOverrides()
    """LLaMA-Factory settings that differ from config/training/warmup.yaml."""


class Projection(Section):
    """Random projection of a gradient; the same for every row, shard and target."""

    kind: Literal["sjlt", "rademacher"] = "sjlt"
    """sjlt is a sparse Johnson-Lindenstrauss transform, as fast as memory; rademacher is the paper's dense one, as
    exact and very slow without a GPU."""
    dimension: Count = 8192
    """Numbers kept per row."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Fixes the projection."""


class Gradients(Section):
    """The gradient store."""

    shards: Execution[Shards]
    """Jobs that compute a pool's gradients, for all pools or by pool. Changes rounding only; a store of which shards
    are finished keeps its number."""
    parameters: Literal["lora", "full"] = "lora"
    """Weights whose gradients are taken, and which the warm-up therefore trains: those of a LoRA adapter, or the whole
    model's (which the paper names as future work)."""
    pool_kinds: Annotated[Distinct[Literal["adam", "sgd"]], Field(min_length=1)] = ("adam",)
    """Gradients kept of pool rows: adam (preconditioned, what most methods read), sgd (plain, what GIST reads), or both
    from the same backward pass."""
    batch_tokens: Execution[Count | None] = None
    """Tokens, padding included, that one batch may hold: without this key, the most that fits `gpus.card`, and 2048
    where no card is named. Sets memory, not the result."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Arithmetic of the forward and backward pass. bf16 is autocast, with the model's weights in bfloat16, which halves
    their memory; an adapter's weights, and all gradients, are in fp32."""
    projection: Projection = Projection()

    def shards_of(self, pool: str) -> int:
        """How many jobs compute a pool's gradients."""
        return self.shards[pool] if isinstance(self.shards, dict) else self.shards


class SelectionSettings(Section):
    """Selection methods."""

    memory_mb: Execution[Count | None] = None
    """Memory of one job, in MB, if not what the sizes suggest. Walks keep a copy of the rows at half their size, which
    goes to a temporary file where it does not fit. Does not change results."""


class Finetune(Section):
    """Fine-tuning on a selection."""

    training: TrainingOverrides = TrainingOverrides()
    """LLaMA-Factory settings that differ from config/training/finetune.yaml."""


class Evaluation(Section):
    """Settings of the LM Evaluation Harness."""

    backend: Backend = "hf"
    """What lm-eval computes with: hf is transformers; vllm generates many times faster, needs a GPU, and differs in
    the last digits."""
    batch_size: Execution[Count] = 16
    """Requests per batch; vllm finds its own."""
    dtype: Literal["float32", "bfloat16", "float16"] = "bfloat16"
    """Precision in which the model is loaded."""
    chat_template: bool = True
    """Put questions into the template that the model was trained with."""


class Threads(Section):
    """Processor threads of one job. In the experiment because sums in another order differ in the last digits."""

    training: Execution[Count] = 1
    """Warm-up and fine-tuning."""
    gradients: Execution[Count] = 1
    """Gradients."""
    embeddings: Execution[Count] = 1
    """Sentence embeddings."""
    selection: Execution[Count] = 1
    """Selection methods."""
    evaluation: Execution[Count] = 1
    """Evaluation."""


class Gpus(Section):
    """GPUs that one job asks the cluster for, per node.

    Changing them redoes nothing. Without a visible GPU, as on a laptop, as many processes compute on the processor.
    """

    training: Execution[Annotated[int, Field(ge=0)]] = 0
    """Warm-up and fine-tuning. Every GPU gets a process; all of them share the training's `effective_batch`."""
    gradients: Execution[Annotated[int, Field(ge=0)]] = 0
    """Gradients, hidden states and losses. A model that is larger than a GPU is split over several; they compute one
    after another, so more of them are not faster."""
    embeddings: Execution[OneGpu] = 0
    """Sentence embeddings."""
    selection: Execution[OneGpu] = 0
    """Methods with `on_gpu` in their file: walks (G2IS and its variants), LESS, RDS+, TAGCOS and others that compare
    whole rows. They select the same rows as without; other methods have no GPU. A walk keeps a byte per number on the
    GPU: 8.2 GB for a million gradients of 8192 numbers."""
    evaluation: Execution[OneGpu] = 0
    """Evaluation."""
    card: Execution[Count | None] = None
    """Memory of one of these GPUs in GB, as its name says: 16, 24, 40, 48, 80, 141. A run predicts the memory of its
    jobs then, and is rejected before its first job if one does not fit. `gradients.batch_tokens` follows from it."""

    def by_stage(self) -> dict[str, int]:
        """GPUs of one job, for the stages that ask for any."""
        return {stage: number for stage, number in self if stage != "card" and number}


class Nodes(Section):
    """Nodes that one job asks the cluster for."""

    training: Execution[Count] = 1
    """Warm-up and fine-tuning; several need GPUs."""


class Settings(Entry):
    """One run of the workflow. What is compared, and every size and setting that a result depends on."""

    FOLDER: ClassVar[str] = "experiments"

    summary: About[str]
    """One sentence on what this experiment is for."""
    models: Names
    """Models to select for and to tune; files of config/models."""
    encoder: str | None = None
    """Sentence encoder for the methods that need embeddings; a file of config/encoders."""
    pools: Annotated[dict[str, PoolRows], Field(min_length=1)]
    """Pools to select from (files of config/pools), and how many rows of each to sample."""
    targets: Annotated[dict[str, TargetRows], Field(min_length=1)]
    """Tasks to select for (files of config/benchmarks), with the number of rows for each purpose."""
    hub: Execution[Hub] = Hub()
    methods: Names
    """Selection methods to compare; files of config/methods."""
    ratios: Distinct[Ratio] = ()
    """How much of the pool to select, for methods whose own file does not fix the ratio: a share below 1, or a number
    of rows from 2."""
    tables: Distinct[str] = ()
    """Tables to make; files of config/tables. What they show is what is computed. If there are none, one table per
    target with every model, pool, method and ratio."""
    seeds: Seeds = (0,)
    """Repetitions. Each seeds a selection (of methods that draw at random) and a fine-tuning."""
    seeds_of: dict[str, Seeds] = {}
    """Seeds of single methods, where they are not `seeds`; fewer for what is too expensive to repeat."""
    data_seed: Seed = 0
    """Seeds the sampling of pools, validation rows, evaluation rows and warm-up rows."""
    evaluation_seed: Seed | None = None
    """Seeds the evaluation rows in place of `data_seed`: they are those of an experiment with this `data_seed`, and
    validation rows are drawn from the rest. A draw sets it."""
    draws: Execution[Count | None] = None
    """Draws that `make study` runs, and that `snakemake draws` summarises. A draw (`--config draw=3`) is the whole
    experiment with other seeds: pool, validation rows, warm-up, selections and fine-tunings are drawn anew, evaluation
    rows are the same. Several seeds of a method are averaged within a draw."""
    accepted_code: About[Distinct[str]] = ()
    """Codes, as a rejected table names them, whose difference from the present code changes no result. Tables may then
    have results of both."""
    cutoff_len: Annotated[int, Field(ge=8)] = 2048
    """Tokens of a row that warm-up, gradients and fine-tuning see; the rest is cut off."""
    warmup: Warmup
    gradients: Gradients
    selection: Execution[SelectionSettings] = SelectionSettings()
    finetune: Finetune = Finetune()
    evaluation: Evaluation = Evaluation()
    threads: Execution[Threads] = Threads()
    gpus: Execution[Gpus] = Gpus()
    nodes: Execution[Nodes] = Nodes()

    @property
    def batch_tokens(self) -> int | None:
        """`gradients.batch_tokens`, or its default; None where it follows from the card."""
        follows = self.gpus.card and self.gpus.gradients
        return self.gradients.batch_tokens or (None if follows else DEFAULT_BATCH_TOKENS)
