"""Every name in `lora_target` has to be one of the model's layers."""

import pytest
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

from instruction_selection.training.layers import without_adapter

SIZES = {"hidden_size": 8, "intermediate_size": 8, "num_attention_heads": 2, "vocab_size": 16}


@pytest.mark.parametrize(
    ("targets", "unknown"),
    [
        (["q_proj", "v_proj"], []),
        (["q_proj", "self_attn.o_proj", "layers.1.mlp.up_proj"], []),
        (["q_proj", "c_attn", "query_key_value"], ["c_attn", "query_key_value"]),
        (["q_proj", "proj"], ["proj"]),
    ],
)
def test_without_adapter__names_that_match_no_layer(targets, unknown):
    model = LlamaForCausalLM(LlamaConfig(num_hidden_layers=2, **SIZES))
    assert without_adapter(get_peft_model(model, LoraConfig(target_modules=targets))) == unknown


def test_without_adapter__of_a_model_that_has_none():
    assert without_adapter(LlamaForCausalLM(LlamaConfig(num_hidden_layers=1, **SIZES))) == []
