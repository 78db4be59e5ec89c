"""Why a job is planned, as a person reads it."""

import logging

import pytest

from instruction_selection.core import reasons

PARAMS = "Params have changed since last execution: Union of exclusive params before and now across all output: "
UNCHANGED = {"core.files": "aaaaaaaaaaaa"}
CODE = [{"features.store": "0123456789ab", **UNCHANGED}, {"features.store": "ba9876543210", **UNCHANGED}]
SETTINGS = [{"training": {"learning_rate": 0.1, "epochs": 2}}, {"training": {"learning_rate": 0.2, "epochs": 2}}]


@pytest.mark.parametrize(
    ("reason", "short"),
    [
        (
            "Missing output files: a, b; Input files updated by another job: c, d, e",
            "no result yet; after c and 2 more",
        ),
        ("Updated input files: c", "changed since the run: c"),
        ("Forced execution", "you asked for it"),
        (f"{PARAMS}before: {CODE[0]} now: {CODE[1]} ", "code of features.store changed since the run"),
        (f"{PARAMS}before: {SETTINGS[0]} now: {SETTINGS[1]} ", "training.learning_rate was 0.1, is 0.2"),
        (
            f"{PARAMS}before: {SETTINGS[0]},{CODE[0]} now: {CODE[1]},{SETTINGS[1]} ",
            "code of features.store changed since the run; training.learning_rate was 0.1, is 0.2",
        ),
        (f"{PARAMS}before: <nothing exclusive> now: {{'rows': 3}} ", "rows was None, is 3"),
        (f"{PARAMS}before: 2 now: 3 ", "params was [2], is [3]"),
    ],
)
def test_short__says_what_changed(reason, short):
    assert reasons.short(reason) == short


@pytest.mark.parametrize("reason", ["Some reason of a later Snakemake", f"{PARAMS}before: <a.b object> now: 3 "])
def test_short__keeps_what_it_does_not_understand(reason):
    assert reasons.short(reason) == reason.strip()


def test_filter__changes_reasons_and_lets_every_record_pass():
    record = logging.LogRecord("snakemake", logging.INFO, "", 0, "text", None, None)
    assert reasons.ShortReasons().filter(record)
    record.reason = "Forced execution"
    assert reasons.ShortReasons().filter(record)
    assert record.reason == "you asked for it"
