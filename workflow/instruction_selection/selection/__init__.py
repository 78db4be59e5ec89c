"""Selecting examples: what a method is given and returns, how it is called, and the job around it."""

from instruction_selection.selection.contract import Checkpoint, Components, Inputs, Selection
from instruction_selection.selection.run import run_method
from instruction_selection.selection.texts import Text, Texts

__all__ = ["Checkpoint", "Components", "Inputs", "Selection", "Text", "Texts", "run_method"]
