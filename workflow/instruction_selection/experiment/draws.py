"""One draw of an experiment: all that is random is drawn anew, except the evaluation rows."""

from typing import Any

from instruction_selection.core.errors import InputError
from instruction_selection.experiment import sentences
from instruction_selection.experiment.settings import Settings

#: A draw adds this, times its number, to every seed. Seeds of an experiment are below it, so draws share none.
STEP = 1000
MOST = (2**32 - 1) // STEP - 1


def number(value: Any) -> int | None:
    """The draw that ``--config draw=`` asks for; None without one. Raises `InputError` unless it is a whole number."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST:
        raise InputError("not-a-draw", f"{sentences.shown(value)} is not a whole number from 1 to {MOST}", key="draw")
    return value


def settings_of(settings: Settings, draw: int) -> Settings:
    """An experiment's `settings` with the seeds of one draw, and its own seed for the evaluation rows.

    These stay the same, so that results of different draws can be compared row by row. Raises `InputError` for a seed
    that could be one of another draw.
    """
    seeds = [settings.data_seed, *settings.seeds, *(seed for several in settings.seeds_of.values() for seed in several)]
    if max(seeds) >= STEP:
        raise InputError("seed-too-large", f"an experiment that has draws needs seeds below {STEP}", key="seeds")

    def shifted(seed: int) -> int:
        return seed + STEP * draw

    return settings.model_copy(
        update={
            "data_seed": shifted(settings.data_seed),
            "evaluation_seed": settings.data_seed if settings.evaluation_seed is None else settings.evaluation_seed,
            "seeds": tuple(map(shifted, settings.seeds)),
            "seeds_of": {name: tuple(map(shifted, several)) for name, several in settings.seeds_of.items()},
        }
    )
