"""Results that do not belong together are rejected, along the whole chain from the pool to the score."""

from pathlib import Path

import pytest
from support.records import belonging_together, put

from instruction_selection.core import files
from instruction_selection.core.errors import InputError
from instruction_selection.experiment import load
from instruction_selection.experiment.chain import Chain, Made
from instruction_selection.experiment.wiring import Wiring
from instruction_selection.tables import lineage


@pytest.fixture(scope="module")
def chain() -> list[Made]:
    return Chain(Wiring(load.load("config", "smoke")), "logic").results()


@pytest.fixture
def results(chain, tmp_path, monkeypatch) -> dict[str, dict]:
    """What files that belong together say, by path; `written` puts them where the chain has them."""
    monkeypatch.chdir(tmp_path)
    return belonging_together(chain)


def written(results: dict[str, dict]) -> None:
    for path, content in results.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        files.write_json(path, content)


def rejected(chain, results, **arguments) -> InputError:
    written(results)
    with pytest.raises(InputError) as caught:
        lineage.check(chain, **arguments)
    return caught.value


def test_chain__goes_from_the_pool_to_every_score(chain):
    names = {Path(made.path).name for made in chain}
    assert names == {
        "pool.json",
        "target.json",
        "rows.json",
        "checkpoints.json",
        "selection.json",
        "training.json",
        "logic.json",
    }
    assert len({made.path for made in chain}) == len(chain)


def test_check__passes_what_belongs_together(chain, results):
    written(results)
    lineage.check(chain)


def test_check__rejects_other_settings_of_every_result(chain, results):
    for made in chain:
        parameters = results[made.path]["provenance"]["parameters"]
        section = next(iter(made.settings))
        kept, parameters[section] = parameters[section], {"another": 1}
        error = rejected(chain, results)
        assert (error.code, error.path) == ("other-settings", made.path)
        assert section in error.key
        parameters[section] = kept


def test_check__rejects_every_link_that_is_broken(chain, results):
    links = [(made, link) for made in chain for link in made.equal]
    assert len(links) > len(chain)
    for made, (place, other, there) in links:
        put(results[made.path], place, "another")
        error = rejected(chain, results)
        assert (error.code, error.path) == ("of-another-result", made.path)
        assert other in str(error)
        put(results[made.path], place, f"{other} {there}")


def test_check__rejects_another_model_behind_a_result(chain, results):
    [made, *_] = [made for made in chain if made.behind]
    [(place, _)] = made.behind.items()
    put(results[made.path], place, {"model": {"template": "another"}})
    error = rejected(chain, results)
    assert (error.code, error.path) == ("other-settings", made.path)


def test_check__rejects_two_versions_of_the_code_of_one_stage(chain, results):
    trainings = [made for made in chain if made.rule == "finetune"]
    results[trainings[-1].path]["provenance"]["code"] = "another"
    error = rejected(chain, results)
    assert (error.code, error.path) == ("mixed-code", trainings[-1].path)
    lineage.check(chain, accepted_code=["another"])


def test_check__lets_stages_and_methods_have_code_of_their_own(chain, results):
    for made in chain:
        results[made.path]["provenance"]["code"] = f"another of {made.rule}"
    written(results)
    lineage.check(chain)


@pytest.mark.parametrize("missing", ["provenance", "code"])
def test_check__recognises_results_of_an_earlier_version(chain, results, missing):
    made = chain[-1]
    if missing == "provenance":
        results[made.path] = {"scores": {}}
    else:
        del results[made.path]["provenance"]["code"]
    error = rejected(chain, results)
    assert (error.code, error.path) == ("earlier-version", made.path)
