"""Wall time of jobs that depend on each other, on a limited number of cores and GPUs."""

import heapq
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from instruction_selection.cost.jobs import Job, Key


@dataclass(frozen=True)
class Run:
    """A job with the GPUs and threads that it holds, and the seconds for which it holds them."""

    job: Job
    gpus: int
    threads: int
    seconds: float


def wall_seconds(runs: Sequence[Run], cores: int | None, gpus: int | None) -> float:
    """Seconds until all are done, on `cores` and `gpus` (None: without limit), each started as soon as it can be.

    Longer jobs start first. A job with GPUs holds no core. A job that wants more GPUs than there are gets all of them
    and takes proportionally longer.
    """
    all_cores, all_gpus = (math.inf if amount is None else amount for amount in (cores, gpus))
    free_cores, free_gpus = all_cores, all_gpus
    waiting_for = {run.job.key: len(run.job.after) for run in runs}
    followers: dict[Key, list[Run]] = {}
    for run in runs:
        for key in run.job.after:
            followers.setdefault(key, []).append(run)
    number = itertools.count()  # decides between equals, so that heaps never compare runs
    # By what a run holds (cores, GPUs), the longest first: there are few such needs, and thousands of runs.
    ready: dict[tuple[float, float], list[tuple[float, int, Run]]] = {}
    running: list[tuple[float, int, Run, tuple[float, float]]] = []

    def make_ready(run: Run) -> None:
        need = (0, min(run.gpus, all_gpus)) if run.gpus else (min(run.threads, all_cores), 0)
        heapq.heappush(ready.setdefault(need, []), (-run.seconds, next(number), run))

    for run in runs:
        if not run.job.after:
            make_ready(run)
    now = 0.0
    while any(ready.values()) or running:
        while fitting := [need for need in ready if ready[need] and need[0] <= free_cores and need[1] <= free_gpus]:
            need = min(fitting, key=lambda need: ready[need][0])
            _, _, run = heapq.heappop(ready[need])
            free_cores, free_gpus = free_cores - need[0], free_gpus - need[1]
            seconds = run.seconds * (run.gpus / need[1] if run.gpus else 1)
            heapq.heappush(running, (now + seconds, next(number), run, need))
        now, _, run, need = heapq.heappop(running)
        free_cores, free_gpus = free_cores + need[0], free_gpus + need[1]
        for follower in followers.get(run.job.key, ()):
            waiting_for[follower.job.key] -= 1
            if not waiting_for[follower.job.key]:
                make_ready(follower)
    return now
