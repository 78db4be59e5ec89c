"""Everything that one run of the workflow needs, from all of its files."""

from typing import Any, Literal

from instruction_selection.experiment.base import Section
from instruction_selection.experiment.benchmark import Benchmark
from instruction_selection.experiment.method import Method
from instruction_selection.experiment.model import Encoder, Model
from instruction_selection.experiment.plan import Plan
from instruction_selection.experiment.pool import Pool
from instruction_selection.experiment.settings import Settings
from instruction_selection.experiment.training import Training

Stage = Literal["warmup", "finetune"]


class Experiment(Section):
    """The experiment's own file (`settings`) and every file that it names; mappings go from an entry's name to it."""

    name: str
    settings: Settings
    models: dict[str, Model]
    encoder: Encoder | None
    pools: dict[str, Pool]
    benchmarks: dict[str, Benchmark]
    methods: dict[str, Method]
    #: LLaMA-Factory's arguments of each training, with the experiment's own in them.
    training: dict[Stage, Training]
    tables: dict[str, Plan]
    #: Which draw this is (`draws.settings_of`); None for the experiment as its file says.
    draw: int | None = None

    @property
    def folder(self) -> str:
        """Of its results, below ``results``."""
        return self.name if self.draw is None else f"{self.name}/draw{self.draw}"

    def resolved(self) -> dict[str, Any]:
        """All settings with defaults filled in, as plain data; `Experiment.model_validate` reads it again."""
        return self.plain()
