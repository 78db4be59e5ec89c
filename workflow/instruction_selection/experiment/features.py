"""The type of a feature's name in a config file: one of those in `core.features`."""

from typing import TYPE_CHECKING, Literal

from instruction_selection.core.features import FEATURES

if TYPE_CHECKING:
    FeatureName = str
else:
    FeatureName = Literal[tuple(FEATURES)]
