"""What LLaMA-Factory, transformers, lm-eval, vLLM and Reasoning Gym know by name, for `program_names.json`.

A run is planned on a machine that may have none of them, and importing them takes seconds.
"""

import ast
import dataclasses
import enum
import importlib.metadata
import importlib.util
import json
import re
import types
import typing
from pathlib import Path
from typing import Any

from instruction_selection.experiment import program_names

#: As in JSON Schema.
TYPES = {
    **{bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"},
    **{dict: "object", list: "array"},
}


def found() -> dict[str, Any]:
    """The names, as program_names.json has them."""
    # It provides what the others import and what is not installed, and so it comes first.
    from instruction_selection.data.readers import reasoning_gym
    from instruction_selection.models import row_templates

    return {
        "training_arguments": training_arguments(),
        "templates": sorted(row_templates.TEMPLATES),
        "templates_without_bos": sorted(
            name for name, each in row_templates.TEMPLATES.items() if not _may_write_bos(each)
        ),
        **architectures(),
        "generators": {"reasoning-gym": sorted(reasoning_gym.DATASETS)},
        **harness(),
        "vllm": vllm() or program_names.names()["vllm"],
    }


def _may_write_bos(template: Any) -> bool:
    """Whether a template of LLaMA-Factory has a prefix of any kind, or the beginning-of-sequence token elsewhere."""
    slots = [*template.format_system.slots, *template.format_user.slots]
    return bool(template.format_prefix.slots) or any("bos_token" in slot for slot in slots)


def training_arguments() -> dict[str, dict[str, list[Any]]]:
    """LLaMA-Factory's arguments of a training; for each the types that it may have, and the texts if not any."""
    from llamafactory.hparams.parser import _TRAIN_ARGS

    return {
        field.name: _allowed(typing.get_type_hints(arguments)[field.name])
        for arguments in _TRAIN_ARGS
        for field in dataclasses.fields(arguments)
        if field.init
    }


def _allowed(hint: Any) -> dict[str, list[Any]]:
    hints = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)
    choices = [value for each in hints for value in _choices(each)]
    kinds = [TYPES[kind] for each in hints if (kind := typing.get_origin(each) or each) in TYPES]
    # Where a type is an enumeration or text, the text is one of the enumeration.
    return {"choices": choices} | {"types": [kind for kind in kinds if not choices or kind != "string"]}


def _choices(hint: Any) -> list[Any]:
    if typing.get_origin(hint) is typing.Literal:
        return list(typing.get_args(hint))
    return [member.value for member in hint] if isinstance(hint, type) and issubclass(hint, enum.Enum) else []


def architectures() -> dict[str, Any]:
    """Names of layers that LoRA can adapt, by transformers' folder; and the folder of each kind of causal model."""
    import transformers
    from transformers.models.auto import configuration_auto, modeling_auto

    folder = Path(transformers.__file__).parent / "models"
    pattern = re.compile(r"self\.(\w+) = [\w.]*(?:Linear|(?<!Rotary)Embedding|Conv1D)\(")
    layers: dict[str, set[str]] = {}
    for path in folder.glob("*/modeling_*.py"):
        layers.setdefault(path.parent.name, set()).update(pattern.findall(path.read_text(encoding="utf-8")))
    return {
        "model_types": {
            name: configuration_auto.model_type_to_module_name(name)
            for name in sorted(modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)
        },
        "layers": {name: sorted(names) for name, names in sorted(layers.items()) if names},
    }


def harness() -> dict[str, list[str]]:
    """Keys of lm-eval's tasks, and its metrics."""
    import lm_eval.api.metrics  # noqa: F401  (registers them)
    from lm_eval.api.registry import METRIC_REGISTRY
    from lm_eval.config.task import TaskConfig

    return {
        "task_keys": sorted(field.name for field in dataclasses.fields(TaskConfig)),
        "metrics": sorted(METRIC_REGISTRY),
    }


def vllm() -> dict[str, Any] | None:
    """Arguments of vLLM's engine and ranks of adapters, from its source; None where it is not installed.

    It brings its own torch, so it is in no environment with the others.
    """
    spec = importlib.util.find_spec("vllm")
    return vllm_in(Path(spec.origin).parent, importlib.metadata.version("vllm")) if spec and spec.origin else None


def vllm_in(folder: Path, version: str) -> dict[str, Any]:
    engine = ast.parse((folder / "engine/arg_utils.py").read_text(encoding="utf-8"))
    [arguments] = [each for each in engine.body if isinstance(each, ast.ClassDef) and each.name == "EngineArgs"]
    ranks = re.search(r"MaxLoRARanks = Literal(\[[\d, ]+\])", (folder / "config/lora.py").read_text(encoding="utf-8"))
    return {
        "version": version,
        "engine_arguments": sorted(each.target.id for each in arguments.body if isinstance(each, ast.AnnAssign)),
        "lora_ranks": json.loads(ranks[1]),
    }


def text(names: dict[str, Any]) -> str:
    """One line per name, so that a change of versions can be read."""
    blocks = []
    for key, values in names.items():
        pairs = values.items() if isinstance(values, dict) else ()
        lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in pairs] or list(map(json.dumps, values))
        opening, closing = "{}" if isinstance(values, dict) else "[]"
        blocks.append(f"{json.dumps(key)}: {opening}\n" + ",\n".join(lines) + f"\n{closing}")
    return "{\n" + ",\n".join(blocks) + "\n}\n"


if __name__ == "__main__":
    program_names.PATH.write_text(text(found()), encoding="utf-8")
