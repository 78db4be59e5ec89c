"""What is checked without the programs behind the jobs is what the pinned programs say."""

import dataclasses
import typing

import pytest
from pydantic import TypeAdapter, ValidationError
from support import installed_names

from instruction_selection.experiment import lm_eval, program_names
from instruction_selection.experiment.benchmark import HarnessTask
from instruction_selection.experiment.llamafactory import problem_of


def test_program_names__are_those_of_the_pinned_programs():
    assert program_names.PATH.read_text(encoding="utf-8") == installed_names.text(installed_names.found()), (
        "run `make reference`"
    )


def test_default_metrics__are_those_of_lm_eval():
    from lm_eval.api.registry import DEFAULT_METRIC_REGISTRY

    assert DEFAULT_METRIC_REGISTRY == lm_eval.DEFAULT_METRICS
    annotation = HarnessTask.model_fields["output_type"].annotation
    assert {value for choice in typing.get_args(annotation) for value in typing.get_args(choice)} == set(
        DEFAULT_METRIC_REGISTRY
    )


def test_layers__of_a_model_that_transformers_builds():
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    names = program_names.names()
    for model_type in ("llama", "gemma", "mistral", "qwen2", "gpt2", "falcon"):
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(AutoConfig.for_model(model_type, num_hidden_layers=1))
        linear = {
            name.split(".")[-1]
            for name, module in model.named_modules()
            if isinstance(module, torch.nn.Linear | torch.nn.Embedding) or type(module).__name__ == "Conv1D"
        }
        assert linear <= set(names["layers"][names["model_types"][model_type]])


def test_argument__is_judged_as_its_declared_type_judges_it():
    from llamafactory.hparams.parser import _TRAIN_ARGS

    values = [True, 1, 0.5, "no such value", "cosine", None, [], {}]
    compared = 0
    for arguments in _TRAIN_ARGS:
        hints = typing.get_type_hints(arguments)
        for field in dataclasses.fields(arguments):
            # An enumeration is also given by its text, and classes of Python never come from a file.
            if field.init and not program_names.names()["training_arguments"][field.name]["choices"]:
                for value in values:
                    try:
                        TypeAdapter(hints[field.name], config={"arbitrary_types_allowed": True}).validate_python(
                            value, strict=True
                        )
                        valid = True
                    except ValidationError:
                        valid = False
                    except Exception:
                        continue
                    assert (problem_of(field.name, value) is None) == valid, (field.name, value)
                    compared += 1
    assert compared > 1000


@pytest.mark.parametrize("argument", ["lora_rnak", "", "--lora_rank"])
def test_argument__that_llamafactory_does_not_have(argument):
    problem = problem_of(argument, 8)
    assert problem is not None
    assert problem.type == "unknown-key"
