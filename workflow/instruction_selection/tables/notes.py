"""What a table says below itself: what its numbers and marks mean, and what they do not know."""

from instruction_selection.tables import statistics
from instruction_selection.tables.results import shown_metrics

#: Marks of a difference whose adjusted p is below `statistics.LEVEL`: by rows and seeds, and by rows alone.
BOTH, ROWS = "*", "†"


def mark(row: dict, metric: str) -> str:
    if row[f"{metric}_p_adjusted"] >= statistics.LEVEL:
        return ""
    return BOTH if row[f"{metric}_test"] == statistics.TWO_LEVELS else ROWS


def baselines(rows: list[dict]) -> list[str]:
    return _unique(row["baseline"] for row in rows if row["baseline"] is not None)


def notes(rows: list[dict], plan: dict, benchmarks: dict, methods: dict) -> list[str]:
    """Paragraphs for the `rows` (of `results.collect`) of a table."""
    measured = [row for row in rows if row["samples"] is not None]
    scores = [(row, metric["name"]) for row in measured for metric in shown_metrics(plan, benchmarks[row["benchmark"]])]
    compared = [(row, name) for row, name in scores if row[f"{name}_p_adjusted"] is not None]
    paragraphs = [_scores(measured, scores, plan)]
    if compared:
        paragraphs += [_comparisons(compared, baselines(rows)), *_marks(measured, compared)]
    checkpoints = _checkpoints(measured, methods)
    return [*paragraphs, *([checkpoints] if checkpoints else [])]


def _scores(rows: list[dict], scores: list[tuple[dict, str]], plan: dict) -> str:
    counts = sorted({row["samples"] for row in rows})
    over = f"over the {' or '.join(map(str, counts))} evaluation row{'s'[: counts != [1]]}"
    said = []
    if any(row[f"{name}_wilson_low"] is None and row[f"{name}_stderr"] is not None for row, name in scores):
        said.append(f"± is the standard error {over}.")
    if any(row[f"{name}_wilson_low"] is not None for row, name in scores):
        said.append(f"A share is followed by its 95 % interval (Wilson) {over}.")
    if any(row["seeds"] > 1 for row in rows):
        said.append(
            "With several seeds, the score is their mean, and SD is the sample standard deviation of their scores. A "
            "seed is a fine-tuning and, for a method that draws at random, a draw."
        )
    where = "" if plan["kind"] == "target" else ", model and pool"
    said.append(f"Bold is the best of a column{where}; equal scores are all bold.")
    if plan["kind"] == "target":
        said.append("Family rows are those of the benchmark's own tasks.")
    return " ".join(said)


def _comparisons(compared: list[tuple[dict, str]], against: list[str]) -> str:
    text = (
        f"Against {', '.join(against)}: mean difference on the same evaluation rows, with its own 95 % interval. "
        f"A mark means p < {statistics.LEVEL}"
    )
    if len(compared) > 1:
        text += f" after Holm's correction for the {len(compared)} comparisons that this table shows"
    return f"{text}. A difference without a mark is not shown to be zero."


def _marks(rows: list[dict], compared: list[tuple[dict, str]]) -> list[str]:
    tests = {row[f"{name}_test"] for row, name in compared}
    constant = "another pool, other validation rows or another warm-up"
    paragraphs = []
    if statistics.TWO_LEVELS in tests:
        text = (
            f"{BOTH} is tested over evaluation rows and over the seeds of both sides: by a t-test whose variance "
            "includes both (Welch–Satterthwaite; so does the interval), and by a permutation test of signs over rows. "
        )
        if any(row["pool"] is None for row in rows):
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
        everything = single == _unique(row["method"] for row in rows if row["pool"] is not None)
        who = "every fine-tuned model" if everything else f"one side of the comparison ({', '.join(single)})"
        paragraphs.append(
            f"{ROWS} is tested over evaluation rows alone ({by}; bootstrap interval), because {who} has one seed. The "
            "test does not account for how much another fine-tuning or another draw would change the score, nor for "
            f"{constant}: it says that these models differ, not that the methods do."
        )
    return paragraphs


def _single(rows: list[dict], compared: list[tuple[dict, str]]) -> list[str]:
    """The trained methods of one seed because of which a comparison is of rows alone, in the order of the table."""
    alone = [row for row, name in compared if row[f"{name}_test"] != statistics.TWO_LEVELS]
    sides = {row["method"] for row in alone} | {row["baseline"] for row in alone}
    single = (row for row in rows if row["method"] in sides and row["pool"] is not None and row["seeds"] == 1)
    return _unique(row["method"] for row in single)


def _checkpoints(rows: list[dict], methods: dict) -> str:
    """How many checkpoints of the warm-up methods read that could read several."""
    published = {method["label"]: method["published_checkpoints"] for method in methods.values()}
    said = []
    for label, count in dict.fromkeys((row["method"], row["checkpoints"]) for row in rows):
        if count is not None:
            asked = f" (published: {published[label]})" if published[label] is not None else ""
            said.append(f"{label} reads {count} warm-up checkpoint{'s'[: count > 1]}{asked}")
    return f"{'; '.join(said)}." if said else ""


def _unique(values) -> list[str]:
    return list(dict.fromkeys(values))
