"""Every result path, once. Braces are Snakemake wildcards, and only what a table pivots on is one."""

from pathlib import PurePosixPath

from instruction_selection.core.features import FEATURES

CELL = "{model}/{pool}/{target}/{method}/{ratio}/seed{seed}"


class Layout:
    """Path patterns below ``results/<experiment>``; `experiment` is an `Experiment.folder`."""

    def __init__(self, experiment: str, results: str = "results"):
        # First: the others lie in the same folder or below.
        self.report = str(PurePosixPath(results) / experiment / "report.html")
        at = self._at

        self.logs = at("logs")
        self.resolved_config = at("config.resolved.yaml")
        self.predicted_memory = at("memory.json")

        self.model = at("models/{model}")
        self.encoder = at("encoders/{encoder}")
        self.pool = at("pools/{pool}/pool.jsonl")
        self.pool_summary = at("pools/{pool}/pool.json")
        self.validation = at("targets/{target}/validation.jsonl")
        self.evaluation_rows = at("targets/{target}/evaluation.jsonl")
        self.target_summary = at("targets/{target}/target.json")
        self.overlap = at("targets/{target}/overlap/{pool}.json")

        self.warmup_rows = at("warmup/{model}/{pool}/rows.jsonl")
        self.warmup_summary = at("warmup/{model}/{pool}/rows.json")
        self.warmup_adapter = at("warmup/{model}/{pool}/checkpoint{checkpoint}/adapter")
        self.warmup_moments = at("warmup/{model}/{pool}/checkpoint{checkpoint}/moments.safetensors")
        self.warmup_checkpoints = at("warmup/{model}/{pool}/checkpoints.json")
        self.warmup_log = at("warmup/{model}/{pool}/trainer_log.jsonl")

        self.pool_shard = at("gradients/{model}/{pool}/checkpoint{checkpoint}/shards/{shard}.h5")
        self.pool_gradients = self.feature("pool_gradients")
        self.validation_gradients = self.feature("validation_gradients")
        self.pool_embeddings = self.feature("pool_embeddings")
        self.validation_embeddings = self.feature("validation_embeddings")

        self.pool_hidden_states = self.feature("pool_hidden_states")
        self.validation_hidden_states = self.feature("validation_hidden_states")
        self.pool_losses = self.feature("pool_losses")

        self.run = at(f"runs/{CELL}")
        self.chosen = f"{self.run}/chosen.txt"
        self.selected = f"{self.run}/selected.jsonl"
        self.selection = f"{self.run}/selection.json"
        self.scores = f"{self.run}/scores.parquet"
        self.selection_page = f"{self.run}/selection.html"
        self.selected_dataset = f"{self.run}/dataset_info.json"
        self.adapter = f"{self.run}/adapter"
        self.training_summary = f"{self.run}/training.json"
        self.harness_tasks = at("targets/{benchmark}/harness")
        self.evaluation = f"{self.run}/eval/{{benchmark}}.json"
        self.samples = f"{self.run}/eval/{{benchmark}}.samples.jsonl"

        self.table = at("tables/{table}.{format}")
        self.figure = at("figures/{table}.{format}")
        self.shared_rows = at("tables/{target}.shared-rows.csv")

    def feature(self, name: str) -> str:
        """The file of a feature of `core.features`; that of the examples, if it has no file of its own."""
        feature = FEATURES[name]
        return self._at(feature.file) if feature.file else getattr(self, feature.side)

    @property
    def _root(self) -> PurePosixPath:
        return PurePosixPath(self.report).parent

    def _at(self, path: str) -> str:
        return str(self._root / path)

    def log(self, rule: str, *wildcards: str) -> str:
        return self._beside("logs", rule, wildcards, "log")

    def worked(self, rule: str, *wildcards: str) -> str:
        """What a job records of its work (`core.worked`), beside its log."""
        return self._beside("logs", rule, wildcards, "json")

    def benchmark(self, rule: str, *wildcards: str) -> str:
        return self._beside("benchmarks", rule, wildcards, "tsv")

    def _beside(self, folder: str, rule: str, wildcards: tuple[str, ...], suffix: str) -> str:
        root = self._root / folder
        inner = "/".join(f"{{{name}}}" for name in wildcards)
        return str(root / f"{rule}.{suffix}" if not inner else root / rule / f"{inner}.{suffix}")
