"""Seconds of a job: start-up, reading the model's weights, and work over the rate of its GPUs or threads."""

from dataclasses import dataclass

from instruction_selection.cost import prices
from instruction_selection.cost.jobs import Job
from instruction_selection.cost.prices import Price


@dataclass(frozen=True)
class Range:
    """A number that is expected between `low` and `high`."""

    low: float
    typical: float
    high: float

    def __add__(self, other: "Range | Price") -> "Range":
        return Range(self.low + other.low, self.typical + other.typical, self.high + other.high)

    def times(self, factor: float) -> "Range":
        """For a factor that is not negative."""
        return Range(factor * self.low, factor * self.typical, factor * self.high)


@dataclass(frozen=True)
class UnitCost:
    """`start`: seconds per job; `rate`: work (`prices.WORK_UNIT`) per second and device."""

    start: Price
    rate: Price

    def seconds(self, job: Job, devices: int) -> Range:
        """From the start of a job's process to its end, on so many GPUs or, without, threads."""
        return _quotient(job.work / devices, self.rate) + loading_seconds(job.parameters) + self.start


def loading_seconds(parameters: int | None) -> Range:
    """Seconds to read the weights of a model of so many parameters, or of none, from disk."""
    size = prices.STORED_BYTES_PER_PARAMETER.typical * (parameters or 0)
    return _quotient(size, prices.WEIGHT_BYTES_READ_PER_SECOND)


def default_cost(stage: str, on_gpu: bool) -> UnitCost:
    """The list prices of a stage."""
    return UnitCost(prices.START_SECONDS[stage, on_gpu], prices.WORK_PER_SECOND[stage, on_gpu])


def _quotient(amount: float, rate: Price) -> Range:
    return Range(amount / rate.high, amount / rate.typical, amount / rate.low)
