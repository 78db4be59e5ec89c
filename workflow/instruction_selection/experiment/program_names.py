"""What the programs behind the jobs know by name, from program_names.json, which `make reference` writes.

A run is planned on a machine that may have none of them, and importing them takes seconds. A test compares the file
with the pinned versions.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_suffix(".json")


@cache
def names() -> dict[str, Any]:
    """`training_arguments` of LLaMA-Factory, each with its `types` (as in JSON Schema) and `choices` of text, and its
    `templates` with this project's own, some of them `templates_without_bos`; `model_types` of transformers with their
    folders, and `layers` by folder; `generators` by reader; `task_keys` and `metrics` of lm-eval; `vllm`'s version with
    its `engine_arguments` and the `lora_ranks` that it supports.
    """
    return json.loads(PATH.read_text(encoding="utf-8"))


def may_write_bos(template: str) -> bool:
    """Whether a template may begin with the beginning-of-sequence token: it does, or writes a text of its own first."""
    return template not in names()["templates_without_bos"]
