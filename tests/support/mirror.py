"""A mirror of the public sources in small: a few rows each, in the sources' own files, columns and types."""

import csv
import json
import zipfile
from pathlib import Path

from pyarrow import Table, parquet

FLAN = "raw.githubusercontent.com/google-research/FLAN/main/flan/v2/cot_data"
BBH = "raw.githubusercontent.com/suzgunmirac/BIG-Bench-Hard/main/bbh"
MATH = "datasets/EleutherAI/hendrycks_math"


def build(folder: Path) -> Path:
    """Write the mirror to `folder`, which is returned."""
    flan(folder / FLAN)
    less(folder / "datasets/princeton-nlp/less_data")
    infinity_instruct(folder / "datasets/BAAI/Infinity-Instruct")
    gsm8k(folder / "datasets/openai/gsm8k")
    bbh(folder / BBH)
    mmlu(folder / "datasets/cais/mmlu")
    gpqa(folder / "datasets/Idavidrein/gpqa")
    mathematics(folder / MATH)
    return folder


def write_parquet(path: Path, rows: list[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(Table.from_pylist(rows), path)


def flan(folder: Path) -> None:
    folder.mkdir(parents=True)
    for task in ("aqua", "creak", "ecqa", "gsm8k", "qasc", "sensemaking", "strategyqa"):
        lines = [f'Is "{task}" {number}?\\nOptions:\\n- yes\\n- no\tyes\tIt "is {number}.' for number in range(10)]
        (folder / f"{task}_train.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def less(folder: Path) -> None:
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "less-data.zip", "w") as archive:
        for name in ("cot", "flan_v2"):
            lines = [
                {
                    "dataset": name,
                    "id": f"{name}_{number}",
                    "messages": [
                        {"role": "user", "content": f"{name} question {number}"},
                        {"role": "assistant", "content": f"answer {number}"},
                    ],
                }
                for number in range(10)
            ]
            text = "\n".join(map(json.dumps, lines))
            archive.writestr(f"data/train/processed/{name}/{name}_data.jsonl", text)
            archive.writestr(f"__MACOSX/data/train/processed/{name}/._{name}_data.jsonl", "")


def infinity_instruct(folder: Path) -> None:
    for part in range(2):
        rows = [
            {
                "id": 10 * part + number,
                "conversations": [
                    {"from": "human", "value": f"Question {10 * part + number}"},
                    {"from": "gpt", "value": "" if number == 9 else f"Answer {number}"},
                    {"from": "human", "value": "And then?"},
                    {"from": "gpt", "value": "Nothing."},
                ],
                "label": {"ability_en": ["reasoning"]},
                "langdetect": "en",
                "source": ["flan", "code"][number % 2],
            }
            for number in range(10)
        ]
        write_parquet(folder / f"3M/train-{part:05d}-of-00002.parquet", rows)


def gsm8k(folder: Path) -> None:
    for split, count in (("train", 12), ("test", 6)):
        rows = []
        for first in range(count):
            addition = f"{first}+{len(split)}"
            total = first + len(split)
            question = f"Ann has {first} apples and buys {len(split)}. How many are there?"
            rows.append({"question": question, "answer": f"{addition}=<<{addition}={total}>>{total}\n#### {total}"})
        write_parquet(folder / f"main/{split}-00000-of-00001.parquet", rows)


def bbh(folder: Path) -> None:
    from instruction_selection.core.packages import path_in_package

    folder.mkdir(parents=True)
    for path in path_in_package("lm_eval", "tasks/bbh/cot_fewshot").glob("[a-z]*.yaml"):
        examples = [{"input": f"{path.stem} {number}?", "target": ["(A)", "(B)"][number % 2]} for number in range(4)]
        (folder / f"{path.stem}.json").write_text(json.dumps({"canary": "x", "examples": examples}), encoding="utf-8")


def mmlu(folder: Path) -> None:
    for split in ("validation", "test"):
        rows = [
            {
                "question": f" {split} question {number} of {subject}?",
                "subject": subject,
                "choices": [f"choice {option}" for option in range(4)],
                "answer": number % 4,
            }
            for subject, count in (("anatomy", 4), ("virology", 8))
            for number in range(count)
        ]
        write_parquet(folder / f"all/{split}-00000-of-00001.parquet", rows)


def gpqa(folder: Path) -> None:
    folder.mkdir(parents=True)
    columns = [
        *("Pre-Revision Question", "Question", "Correct Answer"),
        *(f"Incorrect Answer {number}" for number in (1, 2, 3)),
        *("Explanation", "Subdomain", "High-level domain", "Record ID"),
    ]
    with (folder / "gpqa_extended.csv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(columns)
        for number in range(10):
            wrong = [f"wrong {option}, {number}" for option in (1, 2, 3)]
            question = f'What, "in short",\nis {number}?'
            writer.writerow(
                ["", question, f"right {number}\n", *wrong, "Because.", "Optics", "Physics", f"rec{number}"]
            )


def mathematics(folder: Path) -> None:
    for subject in (
        *("algebra", "counting_and_probability", "geometry", "intermediate_algebra"),
        *("number_theory", "prealgebra", "precalculus"),
    ):
        for split in ("train", "test"):
            rows = [
                {
                    "problem": f"{subject}, {split}: what is ${number}+1$?",
                    "level": "Level 1",
                    "type": subject.replace("_", " ").title(),
                    "solution": f"It is $\\boxed{{{number + 1}}}$.",
                }
                for number in range(3)
            ]
            write_parquet(folder / f"{subject}/{split}-00000-of-00001.parquet", rows)
