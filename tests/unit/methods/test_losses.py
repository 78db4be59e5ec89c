"""Methods that order examples by one number: perplexity, IFD, highest loss, gradient norm."""

import numpy as np
import pytest

from instruction_selection import selection
from instruction_selection.features.matrix import InMemoryMatrix
from instruction_selection.selection import Inputs

#: With the instruction, and without.
LOSSES = np.array([[1.0, 2.0], [3.0, 2.9], [0.5, 4.0], [2.0, 2.1], [2.5, 2.5], [4.0, 8.0], [0.0, 0.0]], np.float32)


def chosen(method: str, budget: int, inputs: Inputs, **params) -> selection.Selection:
    return selection.run_method(method, inputs, budget, params, seed=0)


@pytest.mark.parametrize(("keep", "rows"), [("lowest", [6, 2, 0]), ("highest", [5, 1, 4]), ("middle", [0, 3, 4])])
def test_perplexity__is_of_the_response_given_the_instruction(keep, rows):
    result = chosen("perplexity", 3, Inputs.of(7, pool_losses=LOSSES), keep=keep)
    assert result.indices.tolist() == rows
    values = np.exp(LOSSES[rows, 0])
    assert result.details["perplexity"] == pytest.approx({"lowest": values.min(), "highest": values.max()})


@pytest.mark.parametrize("budget", range(1, 8))
def test_perplexity__the_middle_leaves_as_many_on_both_sides(budget):
    order = np.argsort(LOSSES[:, 0]).tolist()
    places = [
        order.index(row)
        for row in chosen("perplexity", budget, Inputs.of(7, pool_losses=LOSSES), keep="middle").indices
    ]
    below, above = min(places), 6 - max(places)
    assert abs(below - above) <= 1
    assert sorted(places) == list(range(min(places), min(places) + budget))


@pytest.mark.parametrize("budget", [1, 4, 7])
def test_ifd__takes_the_highest_ratio_below_one(budget):
    result = chosen("ifd", budget, Inputs.of(7, pool_losses=LOSSES))
    # Ratios 0.5, 1.03, 0.125, 0.95, 1, 0.5, and none.
    assert result.indices.tolist() == [3, 0, 5, 2][:budget]
    assert result.details == {"not_below_one": 3}


@pytest.mark.parametrize("method", ["perplexity", "ifd"])
def test_losses__an_example_without_a_loss_is_never_chosen(method):
    losses = LOSSES.copy()
    losses[3] = np.nan
    inputs = Inputs.of(7, pool_losses=losses)
    params = {"keep": "lowest"} if method == "perplexity" else {}
    assert inputs.usable().tolist() == [True] * 3 + [False] + [True] * 3
    assert 3 not in chosen(method, 7, inputs, **params).indices


def test_loss__takes_the_highest_after_the_warmup():
    losses = np.array([1, 5, np.nan, 3], np.float32)
    assert chosen("loss", 3, Inputs.of(4, pool_gradient_losses=losses)).indices.tolist() == [1, 3, 0]


def test_grad_norm__takes_the_largest_raw_gradients():
    gradients = InMemoryMatrix.normalised(np.diag([2.0, 0, 7, 3]))
    assert chosen("grad_norm", 4, Inputs.of(4, pool_sgd_gradients=gradients)).indices.tolist() == [2, 3, 0]
