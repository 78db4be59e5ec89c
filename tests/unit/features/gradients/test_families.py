"""Gradients per example are those of autograd, for the layers of every family of models; or one sentence says why not.

The models are tiny and random: what differs between families are their layers, not their sizes.
"""

import random

import pytest
import torch
from peft import LoraConfig, get_peft_model
from support.rejections import rejected
from transformers import AutoConfig, AutoModelForCausalLM

from instruction_selection.features.gradients import memory, parameters, per_sample
from instruction_selection.features.gradients.parameters import Network
from instruction_selection.models.tokenized_example import IGNORE_INDEX, TokenizedExample
from instruction_selection.training.layers import without_adapter

TOKENS = {"vocab_size": 64, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
SIZES = TOKENS | {
    **{"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4},
    "max_position_embeddings": 64,
}
GROUPED = {**SIZES, "num_key_value_heads": 2}
FAMILIES = {
    **{name: GROUPED for name in ("llama", "mistral", "qwen2", "phi3", "olmo2", "granite", "starcoder2")},
    **{name: {**GROUPED, "head_dim": 8} for name in ("qwen3", "gemma", "gemma2", "gemma3_text")},
    "gpt_neox": SIZES,
    "gpt2": TOKENS | {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64},
    "mixtral": {**GROUPED, "num_local_experts": 2},
    "opt": TOKENS
    | {"hidden_size": 32, "ffn_dim": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "word_embed_proj_dim": 32},
}
#: What people name in `lora_target`. GPT-2's are Conv1D, and Phi-3's and GPT-NeoX's join several projections.
NAMED = {
    "phi3": ["qkv_proj", "o_proj", "gate_up_proj"],
    "gpt_neox": ["query_key_value", "dense_h_to_4h"],
    "gpt2": ["c_attn", "c_proj", "c_fc"],
    "starcoder2": ["q_proj", "v_proj", "c_fc"],
    "mixtral": ["q_proj", "o_proj"],
    "opt": ["q_proj", "v_proj"],
}
#: Layers that flatten examples and tokens to one dimension, or get one input for a whole batch.
WITHOUT = {
    ("opt", "all"): "fc1",
    ("gpt2", "full"): "wpe",
    ("mixtral", "full"): "gate",
    ("opt", "full"): "embed_positions",
}


def examples() -> list[TokenizedExample]:
    draw = random.Random(0)
    rows = []
    for length, response in ((12, 5), (7, 3), (9, 1)):
        ids = [draw.randrange(3, 64) for _ in range(length)]
        rows.append(TokenizedExample(ids, [IGNORE_INDEX] * (length - response) + ids[-response:]))
    return rows


def network(family: str, weights: str) -> Network:
    """With an adapter for `all` layers, as LLaMA-Factory finds them, or for those `named`; or without one (`full`)."""
    from llamafactory.model.model_utils.misc import find_all_linear_modules

    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(family, **FAMILIES[family]), dtype=torch.float32)
    if weights == "full":
        return model.eval()
    named = NAMED.get(family, ["q_proj", "o_proj", "up_proj"])
    targets = find_all_linear_modules(model, freeze_vision_tower=True) if weights == "all" else named
    model = get_peft_model(model, LoraConfig(r=2, target_modules=targets))
    assert without_adapter(model) == []
    for name, weight in model.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(weight, std=0.1)
    return model.eval()


def batched(model: Network, rows: list[TokenizedExample]) -> torch.Tensor:
    count = len(parameters.trainable(model))
    parts: dict[int, torch.Tensor] = {}
    per_sample.Batched(model, "fp32", lambda number, gradients: parts.update({number: gradients})).run(rows)
    return torch.cat([parts[number] for number in range(count)], 1)


#: Without GPT-2 and `all`: LLaMA-Factory finds no layer there, which `models.prepare` rejects.
CASES = [
    (family, weights)
    for family in FAMILIES
    for weights in ("all", "named", "full")
    if (family, weights) != ("gpt2", "all")
]


@pytest.mark.parametrize(("family", "weights"), CASES)
def test_family__has_the_gradients_of_autograd_or_names_the_layer(family, weights):
    model, rows = network(family, weights), examples()
    expected = torch.stack([torch.cat(per_sample.reference(model, row)) for row in rows])
    if layer := WITHOUT.get((family, weights)):
        key = "gradients.parameters" if weights == "full" else "lora_target"
        with rejected("layer-without-example-gradients", key=key) as caught:
            batched(model, rows)
        assert layer in str(caught.value)
        return
    errors = (batched(model, rows) - expected).norm(dim=1) / expected.norm(dim=1)
    assert errors.max() < 1e-5


def test_layer__whose_weights_are_used_without_calling_it_is_named():
    """PEFT keeps an embedding's adapter in a dictionary of weights, which it never calls."""
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model("llama", **GROUPED), dtype=torch.float32)
    model = get_peft_model(model, LoraConfig(r=2, target_modules=["embed_tokens", "q_proj"])).eval()
    with rejected("layer-without-example-gradients", key="lora_target") as caught:
        batched(model, examples())
    assert "'model.embed_tokens'" in str(caught.value)


def test_layer__with_other_inputs_is_named():
    """DoRA's vector of magnitudes reads the adapter's weights, too."""
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model("llama", **GROUPED), dtype=torch.float32)
    model = get_peft_model(model, LoraConfig(r=2, target_modules=["q_proj"], use_dora=True)).eval()
    with rejected("layer-without-example-gradients", key="lora_target") as caught:
        batched(model, examples())
    assert "q_proj" in str(caught.value)


@pytest.mark.parametrize(("family", "weights"), WITHOUT)
def test_memory__of_such_a_layer_is_not_predicted_but_the_layer_named(family, weights):
    """`snakemake estimate` runs the same hooks, before anything is trained."""
    config = AutoConfig.for_model(family, **FAMILIES[family])
    adapter = LoraConfig(r=2, target_modules="all-linear") if weights == "all" else None
    with rejected("layer-without-example-gradients") as caught:
        memory.of_gradients(config, adapter, [(9, 3), (7, 2)], ["sgd"], "fp32", 16)
    assert WITHOUT[family, weights] in str(caught.value)
