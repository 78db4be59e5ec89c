"""Seconds on a GPU."""

import time
from collections.abc import Callable

import torch


def seconds_of(run: Callable[[], object], times: int) -> float:
    """Seconds of a run on the GPU, on average, after one to warm up."""
    run()
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(times):
        run()
    torch.cuda.synchronize()
    return (time.perf_counter() - start) / times
