"""The table of the study's smallest budget in several draws: does another draw say the same of methods?"""

from collections.abc import Sequence

from findings_measured import table
from findings_study import STUDY, Study, ranks


def of_draws(draws: Sequence[Study], methods: Sequence[str]) -> dict[str, str]:
    """`draws` have one ratio each, and `methods` are in the order in which they are shown."""
    columns = [
        (f"{name}, draw {draw.draw}", [float(draw.of(method)[place]["difference"]) for method in methods])
        for place, name in enumerate(STUDY.values())
        for draw in draws
    ]
    labels, differences = zip(*columns, strict=True)
    shown = [[f"{value:+z.1f}" for value in line] for line in zip(*differences, strict=True)]
    agreement = [
        (f"rank correlation with {other}", [ranks(each, values) for each in differences]) for other, values in columns
    ]
    return {"study-draws": table("minus Random, nats", labels, [*zip(methods, shown, strict=True), *agreement])}
