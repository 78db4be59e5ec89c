"""The tables of which scores predict the losses of models tuned on random subsets."""

import ablations as made
from datamodels_compared import OWN
from findings_measured import Combination, combination_of, table

from instruction_selection.tables.markup import NOTHING

#: Rows of the table of datamodels: (label, representation, way of choosing).
SCORES = [
    ("Adam gradients, mean of the closest subtask (LESS)", made.ADAM, made.LESS),
    ("plain gradients, mean of the closest subtask", made.PLAIN, made.LESS),
    ("Adam gradients, last checkpoint, mean", made.ADAM_LAST, made.LESS),
    ("Adam gradients, closest validation row", made.ADAM, made.NEAREST),
    ("plain gradients, closest validation row", made.PLAIN, made.NEAREST),
    ("plain gradients, in the subspace (GIST)", made.PLAIN, made.GIST),
    ("hidden states, mean of the closest subtask", made.HIDDEN, made.LESS),
    ("hidden states, closest validation row", made.HIDDEN, made.NEAREST),
    ("embeddings, mean of the closest subtask (Sentence-BERT)", made.EMBEDDINGS, made.LESS),
    ("embeddings, closest validation row", made.EMBEDDINGS, made.NEAREST),
    ("words (BM25)", made.WORDS, made.BM25),
]
METHODS = {"dsir": "words (DSIR)", "ifd": "IFD", "loss": "highest loss", "grad-norm": "gradient norm"}
CONTROLS = {"response length": "control: length of the response", "target family": "control: the target's own task"}
OF_DATAMODELS = {"gsm8k-likelihood": "GSM8K", "bbh-likelihood": "BBH"}
COLUMNS = [text for label in OF_DATAMODELS.values() for text in (label, "given length")]


def of_datamodels(combinations: list[dict[str, str]], methods: list[dict[str, str]]) -> dict[str, str]:
    by_name = {(line["target"], combination_of(line)): line for line in combinations}
    by_name |= {(line["target"], line["method"] or line["control"]): line for line in methods}

    def cells(name: object) -> list[str]:
        lines = [by_name.get((target, name), {}) for target in OF_DATAMODELS]
        return [
            text
            for line in lines
            for text in (
                correlation(line, "correlation", "low", "high"),
                correlation(line, "given_length", "given_length_low", "given_length_high"),
            )
        ]

    lines = [(label, cells(Combination(*combination))) for label, *combination in SCORES]
    lines += [(label, cells(name)) for name, label in (METHODS | CONTROLS).items()]
    return {"datamodels": table("correlation over subsets", COLUMNS, lines)}


def of_pairs(differences: list[dict[str, str]]) -> dict[str, str]:
    labels = {tuple(combination): label for label, *combination in SCORES} | {OWN: "the target's own task"}
    found: dict[str, dict[tuple[str, str], str]] = {}
    for line in differences:
        first = labels[line["representation"], line["choice"]]
        second = labels[line["other_representation"], line["other_choice"]]
        cells = found.setdefault(f"{first}, minus {second}", {})
        cells[line["target"], line["given_length"]] = correlation(line, "difference", "low", "high")
    places = [(target, given) for target in OF_DATAMODELS for given in ("False", "True")]
    lines = [(pair, [cells.get(place, NOTHING) for place in places]) for pair, cells in found.items()]
    return {"datamodels-compared": table("difference of correlations", COLUMNS, lines)}


def correlation(line: dict[str, str], *names: str) -> str:
    if not line.get(names[0]):
        return NOTHING
    value, low, high = (f"{float(line[name]):+z.2f}" for name in names)
    return f"{value} ({low} to {high})"
