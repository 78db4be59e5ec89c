"""What the tests on a GPU share."""

import pytest
import torch


@pytest.fixture
def show(capsys):
    """Print a line with the card's name, what was measured, and its value."""

    def line(label: str, value: str) -> None:
        with capsys.disabled():
            print(f"\n  {torch.cuda.get_device_name()}  {label:55}{value}", end="", flush=True)

    return line
