"""What a table shows: its plan, and what it needs to know of the benchmarks, methods and models in it."""

from dataclasses import dataclass, field
from typing import Any, Literal, Self

from pydantic import TypeAdapter

from instruction_selection.experiment.benchmark import Metric
from instruction_selection.experiment.experiment import Experiment
from instruction_selection.experiment.plan import Plan
from instruction_selection.experiment.published import AVERAGE
from instruction_selection.experiment.wiring import Wiring


@dataclass(frozen=True)
class ShownBenchmark:
    """A benchmark's heading, its metrics and the tasks whose pool examples are its family."""

    label: str
    metrics: tuple[Metric, ...]
    tasks: tuple[str, ...] = ()


@dataclass(frozen=True)
class ShownMethod:
    """The keys of config/methods that decide how a method is shown and compared."""

    label: str
    ratio: float | None = None
    checkpoints: str = "last"
    published_checkpoints: int | None = None
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def trained(self) -> bool:
        return self.ratio != 0


@dataclass(frozen=True)
class ShownModel:
    label: str


#: What the rows of `published.AVERAGE` show.
RELATIVE_AVERAGE = ShownBenchmark(
    "Relative average", (Metric(name="relative", task=AVERAGE, label="Relative average"),)
)


@dataclass(frozen=True)
class TableSpec:
    """A table's plan with the entries that it names, by name."""

    plan: Plan
    benchmarks: dict[str, ShownBenchmark]
    methods: dict[str, ShownMethod]
    models: dict[str, ShownModel]
    #: What a row of the table repeats: fine-tunings, or everything that is random.
    repeated: Literal["seeds", "draws"] = "seeds"

    @classmethod
    def parse(cls, **params: Any) -> Self:
        """From plain data: `Plan.plain()` and `Wiring.shown_entries()`."""
        return TypeAdapter(cls).validate_python(params)

    @classmethod
    def of(cls, experiment: Experiment, table: str) -> Self:
        return cls.parse(plan=experiment.tables[table].plain(), **Wiring(experiment).shown_entries())

    def benchmark(self, name: str) -> ShownBenchmark:
        return RELATIVE_AVERAGE if name == AVERAGE else self.benchmarks[name]

    def first_metric(self, benchmark: str) -> Metric:
        """The metric that ranks, and that published numbers are of."""
        return self.benchmark(benchmark).metrics[0]

    def shown_metrics(self, benchmark: str) -> tuple[Metric, ...]:
        """The benchmark's metrics that the table has columns for; the CSV has all."""
        metrics = self.benchmark(benchmark).metrics
        return metrics if self.plan.kind == "target" else metrics[:1]
