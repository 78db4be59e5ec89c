"""Linear datamodeling scores from files of results, without running a job."""

import csv
import io
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import matplotlib.style
import pytest
import yaml
from matplotlib.backends.backend_agg import FigureCanvasAgg
from scipy import stats
from support.rejections import rejected
from support.subsets import CHOSEN, EFFECTS, FAMILY, LENGTHS, SCORES, SEEDS, SHUFFLED, cells, configure, wiring, write

from instruction_selection.core import files
from instruction_selection.experiment import grid
from instruction_selection.tables import datamodel_figure, datamodel_text, datamodels, figure


@pytest.fixture
def experiment(tmp_path, monkeypatch):
    """A checkout's folder whose experiment `small` has thirty random subsets of a pool; nothing has run."""
    shutil.copytree("config", tmp_path / "config")
    configure(tmp_path)
    monkeypatch.chdir(tmp_path)


def by_method(panel):
    return {line.name: line for line in panel.lines}


def test_panels__find_planted_effects_and_no_others(experiment):
    found = datamodels.panels(write())
    assert [panel.benchmark for panel in found] == ["gsm-symbolic", "logic"]
    for panel in found:
        assert (panel.subsets, panel.planned, panel.diverged) == (SEEDS, SEEDS, 0)
        assert (panel.subset_rows, panel.pool_rows) == (CHOSEN, len(EFFECTS))
        assert [line.name for line in panel.lines] == ["sbert", "less"]
        assert by_method(panel)["sbert"].correlation.value == pytest.approx(1, abs=1e-6)
        assert abs(by_method(panel)["less"].correlation.value) < 0.5
        # A method that only has steps.
        assert panel.without_scores == ("g2is",)


def test_panels__have_length_and_family_as_controls(experiment):
    of = write()
    with_family, without = datamodels.panels(of)
    assert [line.name for line in with_family.controls] == ["response length", "target family"]
    # None of the pool's rows is of the second target's family.
    assert [line.name for line in without.controls] == ["response length"]
    chosen = [
        [row["id"] for row in files.iterate_jsonl(Path(selection).parent / "selected.jsonl")]
        for _, _, _, selection, _ in cells(of, "random")[:SEEDS]
    ]
    worth = [sum(EFFECTS[name] for name in subset) for subset in chosen]
    counts = [sum(name in FAMILY for name in subset) for subset in chosen]
    lengths = [sum(LENGTHS[name] for name in subset) for subset in chosen]
    for line, sums in zip(with_family.controls, (lengths, counts), strict=True):
        assert line.scored == len(EFFECTS)
        assert line.correlation.value == pytest.approx(stats.spearmanr(sums, worth).statistic)
    assert with_family.controls[0].given_length is None
    # What has no rival stays.
    assert by_method(with_family)["sbert"].given_length.value == pytest.approx(1, abs=1e-6)


def test_panels__of_a_pool_that_was_changed_are_rejected(experiment):
    of = write()
    path = Path(of.paths.pool.format(pool="reasoning"))
    path.write_text(path.read_text().replace("xxx", "xx", 1))
    with rejected("rows-changed", path=path):
        datamodels.panels(of)


def turned(change):
    """Change the first metric of a benchmark in the config."""
    path = Path("config/benchmarks/logic.yaml")
    content = yaml.safe_load(path.read_text())
    content["metrics"][0] |= change
    path.write_text(yaml.safe_dump(content))


@pytest.mark.parametrize("change", [{"higher_is_better": False}, {"scale": -100}], ids=["lower is better", "scale"])
def test_panels__above_zero_means_better_whatever_the_metrics_direction(experiment, change):
    turned(change)
    upright, other = datamodels.panels(write())
    assert by_method(upright)["sbert"].correlation.value == pytest.approx(1, abs=1e-6)
    assert by_method(other)["sbert"].correlation.value == pytest.approx(-1, abs=1e-6)


def test_panels__read_the_subsets_that_are_finished(experiment):
    panel, _ = datamodels.panels(write(seeds=12))
    assert (panel.subsets, panel.planned) == (12, SEEDS)


def test_panels__fewer_than_ten_subsets_are_rejected(experiment):
    with rejected("too-few-subsets", path="results/small"):
        datamodels.panels(write(seeds=9))


def test_panels__diverged_models_are_left_out_and_counted(experiment):
    of = write()
    _, path, *_ = cells(of, "random")[0]
    content = files.read_json(path)
    content["metrics"]["log_likelihood"]["value"] = float("nan")
    files.write_json(path, content)
    panel, _ = datamodels.panels(of)
    assert (panel.subsets, panel.diverged) == (SEEDS - 1, 1)
    assert by_method(panel)["sbert"].correlation.value == pytest.approx(1, abs=1e-6)


def test_panels__rows_without_a_score_are_counted(experiment):
    some = {name: None if name == "row5" else value for name, value in SHUFFLED.items()}
    panel, _ = datamodels.panels(write(scores={"sbert": some}))
    assert by_method(panel)["sbert"].scored == len(EFFECTS) - 1
    assert panel.not_selected == ("less", "g2is")


def test_panels__without_a_method_that_has_scores_are_rejected(experiment):
    with rejected("no-scores", path="results/small"):
        datamodels.panels(write(scores={"g2is": SCORES["g2is"]}))


def test_panels__without_random_subsets_are_rejected(experiment):
    path = Path("config/experiments/small.yaml")
    content = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump(content | {"methods": ["base", "sbert"], "seeds_of": {}}))
    with rejected("no-subsets", path="results/small"):
        datamodels.panels(wiring())


def test_panels__results_that_do_not_belong_together_are_rejected(experiment):
    of = write()
    random, sbert = cells(of, "random")[3], cells(of, "sbert")[0]
    for path, place, code in (
        (random[1], "code", "mixed-code"),
        (random[4], "parameters", "other-settings"),
        (sbert[3], "parameters", "other-settings"),
    ):
        content = files.read_json(path)
        kept = content["provenance"][place]
        content["provenance"][place] = "another"
        files.write_json(path, content)
        with rejected(code, path=path):
            datamodels.panels(of)
        content["provenance"][place] = kept
        files.write_json(path, content)
    datamodels.panels(of)


def test_panels__evaluations_of_other_rows_are_rejected(experiment):
    of = write()
    path = cells(of, "random")[3][1]
    content = files.read_json(path)
    content["provenance"]["inputs"]["rows"]["sha256"] = "another"
    files.write_json(path, content)
    with rejected("of-another-result", path=path, key="provenance.inputs.rows.sha256"):
        datamodels.panels(of)


def scores_of(of, method):
    names = grid.selection_of(of.experiment, grid.Cell.of(cells(of, method)[0][0])).wildcards()
    return Path(of.paths.scores.format(**names))


def test_panels__scores_of_another_selection_are_rejected(experiment):
    of = write()
    shutil.copy(scores_of(of, "sbert"), scores_of(of, "less"))
    with rejected("scores-of-another-selection", path=scores_of(of, "less")):
        datamodels.panels(of)


def test_panels__damaged_scores_are_rejected(experiment):
    of = write()
    scores_of(of, "less").write_bytes(b"PAR1")
    with rejected("damaged", path=scores_of(of, "less")):
        datamodels.panels(of)


def test_markdown__names_every_method_once_per_target_and_the_number_of_subsets(experiment):
    of = write(seeds=15, scores={"sbert": EFFECTS, "g2is": SCORES["g2is"]})
    text = datamodel_text.to_markdown(datamodels.panels(of), of.experiment)
    assert text.count("| Sentence-BERT ") == text.count("| Length of the response (control) |") == 2
    assert text.count("| In the target's family (control) |") == 1
    assert text.count("No row has a score: G2IS.") == 2
    assert text.count("Has not selected yet: LESS.") == 2
    assert text.count("15 (of 30 planned) random subsets of 7 of the 72 rows") == 2


def test_csv__has_every_number_in_full(experiment):
    panels = datamodels.panels(write())
    lines = list(csv.DictReader(io.StringIO(datamodel_text.to_csv(panels))))
    shown = [(panel.target, panel.subsets, each) for panel in panels for each in (*panel.lines, *panel.controls)]
    for line, (target, subsets, each) in zip(lines, shown, strict=True):
        assert (line["target"], line["method"] or line["control"], line["subsets"]) == (target, each.name, str(subsets))
        assert float(line["correlation"]) == each.correlation.value
        assert float(line["low"]) == each.correlation.low
        assert line["given_length_high"] == (str(each.given_length.high) if each.given_length else "")
        assert int(line["rows_with_score"]) == each.scored


def test_figure__has_a_panel_for_each_target_and_is_the_same_again(experiment, tmp_path):
    of = write()
    panels = datamodels.panels(of)
    drawn = datamodel_figure._figure(panels, of.experiment)
    labels = [of.experiment.benchmarks[panel.benchmark].label for panel in panels]
    assert [axes.get_title() for axes in drawn.axes] == labels
    for axes, panel in zip(drawn.axes, panels, strict=True):
        places = [container.lines[0].get_xdata()[0] for container in axes.containers]
        assert places == [line.correlation.value for line in (*panel.lines, *panel.controls)]
    for name in ("a", "b"):
        datamodel_figure.draw(panels, of.experiment, tmp_path / f"{name}.svg", tmp_path / f"{name}.png")
    for suffix in ("svg", "png"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


def test_figure__headings_and_labels_are_inside_it_and_apart(experiment):
    of = write()
    panels = [replace(panel, subsets=1000) for panel in datamodels.panels(of)]
    with matplotlib.style.context(["default", figure.STYLE]):
        drawn = datamodel_figure._figure(panels, of.experiment)
        FigureCanvasAgg(drawn).draw()
    below = [axes.xaxis.label.get_window_extent() for axes in drawn.axes]
    beside = [text.get_window_extent() for axes in drawn.axes for text in (axes.title, *axes.get_yticklabels())]
    for box in [*below, *beside]:
        assert drawn.bbox.x0 <= box.x0
        assert box.x1 <= drawn.bbox.x1
    assert all(left.x1 < right.x0 for left, right in pairwise(below))
