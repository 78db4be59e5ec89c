"""The selections of an experiment that are compared, without Snakemake."""

import posixpath

from support.wildcards import of_selections

from instruction_selection.experiment.compared import ComparedSelections


def test_warmup_logs__are_those_of_selections_that_read_a_checkpoint(wiring):
    expected = {
        wiring.paths.warmup_log.format(model=cell.model, pool=cell.pool)
        for cell in of_selections(wiring)
        if wiring.checkpoint_features(cell)
    }
    found = ComparedSelections(wiring.experiment).warmup_logs()
    assert set(found.values()) == expected
    assert expected
    assert len(found) == len(expected)


def test_page_heading__links_lead_to_the_other_pages_of_the_pool_and_target(wiring):
    compared = ComparedSelections(wiring.experiment)
    every = {wiring.paths.selection_page.format(**vars(cell)): cell for cell in of_selections(wiring)}
    for path, cell in every.items():
        heading = compared.page_heading(cell)
        assert heading["method"] == wiring.method_of(cell).label
        assert heading["target"] == (None if cell.target == "any" else cell.target)
        linked = [posixpath.normpath(posixpath.join(posixpath.dirname(path), link)) for _, link in heading["others"]]
        # Those that do not depend on a model or a target are compared with all.
        expected = [
            other
            for other, named in every.items()
            if other != path
            and named.pool == cell.pool
            and all(
                "any" in pair or len(set(pair)) == 1
                for pair in ((named.model, cell.model), (named.target, cell.target))
            )
        ]
        assert sorted(linked) == sorted(expected)
        assert expected
        names = [name for name, _ in heading["others"]]
        assert len(set(names)) == len(names)


def test_page_heading__links_say_only_what_differs(smoke):
    [less] = [cell for cell in of_selections(smoke) if (cell.method, cell.target) == ("less", "logic")]
    heading = ComparedSelections(smoke.experiment).page_heading(less)
    assert [name for name, _ in heading["others"]] == [
        "Random, seed 0",
        "Random, seed 1",
        "Random, as many as G2IS, seed 0",
        "Sentence-BERT",
        "G2IS",
    ]
