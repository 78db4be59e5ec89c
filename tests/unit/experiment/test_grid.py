"""Everything that an experiment asks for is computed once, and shared where it does not depend on something."""

from hypothesis import given
from hypothesis import strategies as st

from instruction_selection.core.entry_names import ANY
from instruction_selection.experiment import grid
from instruction_selection.experiment.experiment import Experiment
from instruction_selection.experiment.method import Method
from instruction_selection.experiment.plan import Plan
from instruction_selection.experiment.settings import Settings


def method(**keys) -> Method:
    return Method(label="Any", summary="", reference="", **keys)


METHODS = {
    "base": method(ratio=0),
    "full": method(ratio=1),
    "random": method(stochastic=True),
    "norm": method(needs=("pool_gradients",)),
    "sbert": method(
        needs=(
            "pool_embeddings",
            "validation_embeddings",
        )
    ),
    "rds-plus": method(
        needs=(
            "pool_hidden_states",
            "validation_hidden_states",
        )
    ),
    "length-random": method(
        needs=(
            "pool_lengths",
            "validation_lengths",
        ),
        stochastic=True,
    ),
    "less": method(
        needs=(
            "pool_gradients",
            "validation_gradients",
        )
    ),
    "sampled": method(
        needs=(
            "pool_gradients",
            "validation_gradients",
        ),
        stochastic=True,
    ),
    "sized": method(stochastic=True, sized_like="less"),
}
TARGETED = {"sbert", "rds-plus", "length-random", "less", "sampled", "sized"}
MODEL_INDEPENDENT = {"base", "full", "random", "length-random", "sbert"}


def experiment(
    models=("m",), pools=("p",), methods=tuple(METHODS), ratios=(0.1,), seeds=(0,), seeds_of=None
) -> Experiment:
    return Experiment.model_construct(
        name="e",
        settings=Settings.model_construct(ratios=tuple(ratios), seeds=tuple(seeds), seeds_of=seeds_of or {}),
        models=dict.fromkeys(models),
        encoder=None,
        pools=dict.fromkeys(pools),
        benchmarks=dict.fromkeys(("t", "u")),
        methods={name: METHODS[name] for name in methods},
        tables={target: plan(target, models, pools, methods, ratios) for target in ("t", "u")},
    )


def plan(target, models, pools, methods, ratios) -> Plan:
    lists = {"models": models, "pools": pools, "targets": [target], "methods": methods, "ratios": ratios}
    return Plan(label="Any", caption="", **{key: tuple(values) for key, values in lists.items()})


def cells(asked: Experiment, target: str) -> list[grid.Cell]:
    """The rows of a target's table."""
    return grid.cells(asked, asked.tables[target], target)


def some_of(values, most=3):
    return st.lists(values, min_size=1, max_size=most, unique=True)


shares = st.floats(min_value=0, max_value=1, exclude_min=True, exclude_max=True)
experiments = st.builds(
    experiment,
    models=some_of(st.sampled_from("mno")),
    pools=some_of(st.sampled_from("pqr")),
    methods=some_of(st.sampled_from(sorted(METHODS)), most=len(METHODS)),
    ratios=some_of(shares),
    seeds=some_of(st.integers(0, 9)),
)


@given(experiments)
def test_row__is_listed_once(asked):
    rows = cells(asked, "t")
    assert len(rows) == len(set(rows))


@given(experiments)
def test_table__has_every_method_for_every_model_pool_ratio_and_seed(asked):
    rows = {(row.model, row.pool, row.method, row.ratio, row.seed) for row in cells(asked, "t")}
    every = len(asked.pools) * len(asked.settings.seeds)
    for model in asked.models:
        for method in asked.methods:
            ratios = 1 if METHODS[method].ratio is not None else len(asked.settings.ratios)
            mine = [row for row in rows if (row[0], row[2]) == (model, method)]
            assert len(mine) == (1 if method == "base" else every * ratios)


@given(experiments)
def test_targets__share_exactly_the_rows_that_do_not_depend_on_them(asked):
    shared = set(cells(asked, "t")) & set(cells(asked, "u"))
    assert shared == {row for row in cells(asked, "t") if row.method not in TARGETED}
    assert all(row.target == ANY for row in shared)


def test_untuned_model__is_one_row_per_model_for_any_pools_and_seeds():
    rows = cells(experiment(models="mn", pools="pq", methods=["base"], seeds=[3, 4]), "t")
    assert rows == [grid.Cell(model, ANY, ANY, "base", "0", 3) for model in "mn"]


@given(experiments)
def test_selection__is_repeated_for_every_seed_only_by_methods_that_draw(asked):
    for method in asked.methods:
        rows = [row for row in cells(asked, "t") if row.method == method]
        seeds = {grid.selection_of(asked, row).seed for row in rows}
        drawn = asked.settings.seeds if METHODS[method].stochastic else asked.settings.seeds[:1]
        assert seeds == set(drawn)


@given(experiments)
def test_selection__is_repeated_for_every_model_only_by_methods_that_read_gradients(asked):
    for row in cells(asked, "t"):
        model = grid.selection_of(asked, row).model
        assert model == (ANY if row.method in MODEL_INDEPENDENT else row.model)


@given(experiments)
def test_selections__are_each_made_once(asked):
    for row in cells(asked, "t"):
        selection = grid.selection_of(asked, row)
        assert grid.selection_of(asked, selection) == selection


@given(experiments)
def test_ratio__keeps_its_value_as_a_wildcard(asked):
    ratios = grid.ratios(asked.tables["t"], METHODS["random"])
    assert tuple(map(float, ratios)) == asked.settings.ratios


def test_ratio__is_the_same_for_a_whole_number_however_it_is_written():
    any_plan = plan("t", "m", "p", ["full"], [])
    assert grid.ratios(any_plan, method(ratio=1)) == grid.ratios(any_plan, method(ratio=1.0)) == ["1"]


def test_wildcards__are_text():
    assert all(isinstance(value, str) for value in grid.Cell("m", "p", "t", "less", "0.1", 0).wildcards().values())


def joint(methods=tuple(METHODS)) -> Experiment:
    """With a table of a joint target beside those of its parts."""
    asked = experiment(methods=methods)
    asked.tables["joint"] = plan("t+u", ["m"], ["p"], methods, [0.1])
    return asked


def test_joint_target__is_selected_for_once_and_evaluated_on_each_part():
    asked = joint(["less", "full"])
    scores = grid.scores(asked, asked.tables["joint"])
    assert [(score.target, score.benchmark, score.cell.method) for score in scores] == [
        ("t+u", benchmark, method) for benchmark in "tu" for method in ("less", "full")
    ]
    assert {score.cell.target for score in scores if score.cell.method == "less"} == {"t+u"}
    assert len({score.cell for score in scores}) == 2
    # All data are the same whatever they are compared for.
    single = {score.cell for score in grid.scores(asked, asked.tables["t"])}
    assert {score.cell for score in scores} & single == {score.cell for score in scores if score.cell.method == "full"}


def test_targets__are_those_of_all_tables():
    assert grid.targets(joint()) == ["t", "u", "t+u"]
    assert grid.targets(experiment()) == ["t", "u"]


@given(experiments)
def test_selections__are_compared_where_the_experiment_chooses_their_size(asked):
    compared = {cell.method for cell in grid.selected_for(asked, "t")}
    assert compared == set(asked.methods) - {"base", "full"}


def test_selection__that_several_tables_show_is_compared_once():
    asked = joint(["less", "random"])
    asked.tables["again"] = asked.tables["t"]
    rows = grid.selected_for(asked, "t")
    assert len(rows) == len(set(rows)) == 2
    assert [row.target for row in grid.selected_for(asked, "t+u")] == ["t+u", ANY]


def test_control__of_size_follows_the_selection_of_the_same_model_pool_target_and_ratio():
    asked = experiment(models="mn", methods=("random", "sbert", "norm", "less", "sized"), seeds=(3, 4))
    for cell in cells(asked, "t"):
        followed = grid.size_of(asked, grid.selection_of(asked, cell))
        if cell.method == "sized":
            assert followed == grid.Cell(cell.model, "p", "t", "less", "0.1", 3)
        else:
            assert followed is None
    # Of what does not depend on model or target there is one selection for all.
    for other, expected in (("sbert", (ANY, "t")), ("norm", ("m", ANY))):
        asked.methods["sized"] = METHODS["sized"].model_copy(update={"sized_like": other})
        followed = grid.size_of(asked, grid.Cell("m", "p", "t", "sized", "0.1", 4))
        assert (followed.model, followed.target, followed.seed) == (*expected, 3)


def test_method__may_be_repeated_less_often_than_others():
    asked = experiment(methods=("full", "less", "random"), seeds=(3, 4, 5), seeds_of={"full": (7,), "random": (4,)})
    seeds = {}
    for cell in cells(asked, "t"):
        seeds.setdefault(cell.method, []).append(cell.seed)
    assert seeds == {"full": [7], "less": [3, 4, 5], "random": [4]}
    for cell in cells(asked, "t"):
        assert grid.selection_of(asked, cell).seed == seeds[cell.method][0]
