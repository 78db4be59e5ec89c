"""The table of which scores predict the losses of models tuned on random subsets."""

import ablations as made
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
    columns = [text for label in OF_DATAMODELS.values() for text in (label, "given length")]
    return {"datamodels": table("correlation over subsets", columns, lines)}


def correlation(line: dict[str, str], *names: str) -> str:
    if not line.get(names[0]):
        return NOTHING
    value, low, high = (f"{float(line[name]):+z.2f}" for name in names)
    return f"{value} ({low} to {high})"
