"""The notes below a table: what its numbers and marks mean, and what the tests do not account for."""

from collections.abc import Iterable

from instruction_selection.tables import statistics
from instruction_selection.tables.rows import Measurement, Row, has_family
from instruction_selection.tables.spec import ShownMethod, TableSpec
from instruction_selection.tables.statistics import Comparison

#: Marks of a difference whose adjusted p is below `statistics.LEVEL`: by rows and seeds, and by rows alone.
BOTH, ROWS = "*", "†"


def mark(comparison: Comparison) -> str:
    if comparison.p_adjusted is None or comparison.p_adjusted >= statistics.LEVEL:
        return ""
    return BOTH if comparison.test == statistics.TWO_LEVELS else ROWS


def baselines(rows: list[Row]) -> list[str]:
    return _unique(row.baseline for row in rows if row.baseline is not None)


def notes(rows: list[Row], spec: TableSpec) -> list[str]:
    """Paragraphs for the `rows` (of `results.collect`) of a table."""
    measured = [row for row in rows if row.samples is not None]
    scores = [(row, row.metrics[metric.name]) for row in measured for metric in spec.shown_metrics(row.benchmark)]
    compared = [(row, score.comparison) for row, score in scores if score.comparison is not None]
    paragraphs = [_scores(measured, [score for _, score in scores], spec)]
    if compared:
        marks = _draws(measured) if spec.repeated == "draws" else _marks(measured, compared)
        paragraphs += [_comparisons(len(compared), baselines(rows)), *marks]
    checkpoints = _checkpoints(measured, spec.methods.values())
    return [*paragraphs, *([checkpoints] if checkpoints else [])]


def _scores(rows: list[Row], scores: list[Measurement], spec: TableSpec) -> str:
    for_target = spec.plan.kind == "target"
    counts = sorted({row.samples for row in rows if row.samples is not None})
    over = f"over the {' or '.join(map(str, counts))} evaluation row{'s'[: counts != [1]]}"
    sentences = []
    if any(score.wilson is None and score.stderr is not None for score in scores):
        sentences.append(f"± is the standard error {over}.")
    if any(score.wilson is not None for score in scores):
        sentences.append(f"A share is followed by its 95 % interval (Wilson) {over}.")
    if spec.repeated == "draws":
        sentences.append(
            "The score is the mean over draws, and SD is the sample standard deviation of their scores. In each draw, "
            "pool, validation rows, warm-up, selection and fine-tuning are drawn anew."
        )
    elif any(row.seeds > 1 for row in rows):
        sentences.append(
            "With several seeds, the score is their mean, and SD is the sample standard deviation of their scores. A "
            "seed is a fine-tuning and, for a method that draws at random, a draw."
        )
    where = "" if for_target else ", model and pool"
    sentences.append(f"Bold is the best of a column{where}; equal scores are all bold.")
    if for_target and has_family(rows):
        sentences.append("Family rows are those of the benchmark's own tasks.")
    return " ".join(sentences)


def _comparisons(count: int, against: list[str]) -> str:
    text = (
        f"Against {', '.join(against)}: mean difference on the same evaluation rows, with its own 95 % interval. "
        f"A mark means p < {statistics.LEVEL}"
    )
    if count > 1:
        text += f" after Holm's correction for the {count} comparisons that this table shows"
    return f"{text}. A difference without a mark is not shown to be zero."


def _marks(rows: list[Row], compared: list[tuple[Row, Comparison]]) -> list[str]:
    tests = {comparison.test for _, comparison in compared}
    constant = "another pool, other validation rows or another warm-up"
    paragraphs = []
    if statistics.TWO_LEVELS in tests:
        text = (
            f"{BOTH} is tested over evaluation rows and over the seeds of both sides: by a t-test whose variance "
            "includes both (Welch–Satterthwaite; so does the interval), and by a permutation test of signs over rows. "
        )
        if any(row.pool is None for row in rows):
            text += "The untuned model is not trained and has no variance over seeds. "
        text += (
            f"The test does not account for {constant}, which all seeds share. Welch's p compares the means of the "
            "seeds alone, for these evaluation rows, and is not corrected."
        )
        paragraphs.append(text)
    alone = [test for test in ("mcnemar", "permutation") if test in tests]
    if alone:
        names = {"mcnemar": "McNemar's exact test", "permutation": "a permutation test of signs"}
        by = " or ".join(names[test] for test in alone)
        single = _single(rows, compared)
        everything = single == _unique(row.method for row in rows if row.pool is not None)
        who = "every fine-tuned model" if everything else f"one side of the comparison ({', '.join(single)})"
        paragraphs.append(
            f"{ROWS} is tested over evaluation rows alone ({by}; bootstrap interval), because {who} has one seed. The "
            "test does not account for how much another fine-tuning or another draw would change the score, nor for "
            f"{constant}: it says that these models differ, not that the methods do."
        )
    return paragraphs


def _draws(rows: list[Row]) -> list[str]:
    if any(row.seeds < 2 for row in rows):
        return [f"{ROWS} is tested over evaluation rows alone, because there is one draw: it says nothing of others."]
    return [
        f"{BOTH} is tested over evaluation rows and over draws: by a t-test whose variance includes both "
        "(Satterthwaite; so does the interval), and by a permutation test of signs over rows. Differences are taken "
        "within draws."
    ]


def _single(rows: list[Row], compared: list[tuple[Row, Comparison]]) -> list[str]:
    """The trained methods of one seed because of which a comparison is of rows alone, in the order of the table."""
    alone = [row for row, comparison in compared if comparison.test != statistics.TWO_LEVELS]
    sides = {row.method for row in alone} | {row.baseline for row in alone}
    single = (row for row in rows if row.method in sides and row.pool is not None and row.seeds == 1)
    return _unique(row.method for row in single)


def _checkpoints(rows: list[Row], methods: Iterable[ShownMethod]) -> str:
    """How many checkpoints of the warm-up methods read that could read several."""
    published = {method.label: method.published_checkpoints for method in methods}
    sentences = []
    for label, count in dict.fromkeys((row.method, row.checkpoints) for row in rows):
        if count is not None:
            in_paper = f" (published: {published[label]})" if published[label] is not None else ""
            sentences.append(f"{label} reads {count} warm-up checkpoint{'s'[: count > 1]}{in_paper}")
    return f"{'; '.join(sentences)}." if sentences else ""


def _unique(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
