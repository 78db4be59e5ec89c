"""Files of config/methods."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, JsonValue

from instruction_selection.core.entry_names import module_name
from instruction_selection.experiment import own_rules
from instruction_selection.experiment.base import About, Count, Distinct, Entry, Execution, Label, Matching, Number
from instruction_selection.experiment.features import FeatureName

#: One Python file per method without a rule of its own.
MODULES = Path(__file__).resolve().parents[1] / "methods"

Share = Annotated[Number, Field(ge=0, le=1)]


class Method(Entry):
    """A selection method.

    Its code is instruction_selection/methods/<name>.py, or a rule of its own in workflow/rules/methods/<name>.smk ('-'
    becomes '_'); docs/add-a-method.md describes both.
    """

    FOLDER: ClassVar[str] = "methods"

    label: About[Label]
    """Name in tables."""
    summary: About[str]
    """One sentence on how it chooses."""
    reference: About[str]
    """Where it was published."""
    needs: Distinct[FeatureName] = ()
    """What is made before it runs and handed to it; nothing else is. docs/add-a-method.md describes each."""
    checkpoints: Literal["last", "all"] = "last"
    """Checkpoints of the warm-up whose gradients it reads, the last one's or those of all that are kept."""
    published_checkpoints: About[Count | None] = None
    """With `checkpoints: all`, how many its authors read, to be named in tables beside the number that the experiment
    keeps; null where they do not say."""
    reads: Execution[Literal["once", "per chosen row"]] = "once"
    """How often it goes through the pool's features, in whole or (as the walks do, where that is enough) in part; for
    `snakemake estimate` only."""
    on_gpu: Execution[bool] = False
    """Whether a GPU speeds it up, and it therefore gets what `gpus.selection` of the experiment asks for: a walk,
    k-means, or products of the pool's rows (`inputs.pool_… @ columns`)."""
    least_validation_rows: About[Count] = 1
    """Validation rows that it needs; principal components of centred rows need two."""
    stochastic: bool = False
    """Draws at random, so that it selects anew for every seed."""
    ratio: Share | None = None
    """Share of the pool that it always takes, if not the experiment's ratios; 0 is the untuned model."""
    sized_like: str | None = None
    """Another method of the experiment; as many rows are chosen as it chose for the same model, pool, target and ratio,
    which may be fewer than the ratio asks for. A control of what the number of rows does."""
    implementation: Annotated[str, Matching("[a-z0-9][a-z0-9_-]*", "the name of a method")] | None = None
    """The method in instruction_selection/methods whose code it shares, if it is not its own name."""
    params: dict[str, JsonValue] = {}
    """Arguments of the method, which its code declares."""

    @property
    def trained(self) -> bool:
        """Whether a model is trained on what it selects; with a ratio fixed to 0 it is the untuned model."""
        return self.ratio != 0

    def module(self, name: str) -> str:
        """The module of instruction_selection/methods that selects; `name` is the method's own."""
        return module_name(self.implementation or name)

    def code(self, name: str) -> Path:
        """The Python file that declares the parameters; beside a rule of its own there need not be one."""
        own = own_rules.path(name).with_suffix(".py")
        return own if own_rules.exists(name) else MODULES / f"{self.module(name)}.py"
