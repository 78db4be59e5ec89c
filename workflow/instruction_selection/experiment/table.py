"""Files of config/tables."""

from typing import Annotated, ClassVar, Literal

from instruction_selection.experiment.base import About, Distinct, Entry, Label, Matching, Number

FileName = Annotated[str, Matching("[a-z0-9][a-z0-9._-]*", "the name of a file of config/tables/reported")]


class Table(Entry):
    """A table with its figure.

    What it compares is computed once, however many tables show it. Lists that are left out or empty are the
    experiment's.
    """

    FOLDER: ClassVar[str] = "tables"

    label: About[Label]
    """Heading."""
    caption: About[str]
    """One sentence on what is compared."""
    kind: Literal["benchmarks", "target"] = "benchmarks"
    """benchmarks shows the first metric of each benchmark beside the published number; target shows every metric of a
    single target, and how many of the chosen rows are of its family."""
    models: Distinct[str] = ()
    """Models of the experiment."""
    pools: Distinct[str] = ()
    """Pools of the experiment."""
    targets: Distinct[str] = ()
    """Targets to select for. A joint one, as in bbh+gsm8k, is selected for with the validation rows of all its parts,
    and evaluated on each."""
    methods: Distinct[str] = ()
    """Methods of the experiment."""
    ratios: Distinct[Number] = ()
    """Ratios of the experiment, for methods whose own file does not fix one."""
    baseline: str | None = None
    """Method with which every other one is compared, sample by sample, at the same ratio where the baseline has
    several; if left out, random, or else full, if the table has it."""
    relative_to: str | None = None
    """Method by whose score on the same benchmark every score is divided, for a column with the mean over
    benchmarks."""
    parameter: str | None = None
    """A parameter of the methods that the figure has on its horizontal axis."""
    reported: FileName | None = None
    """A file of config/tables/reported with published numbers."""
