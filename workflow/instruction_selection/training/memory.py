"""GPU memory of a training by LLaMA-Factory, without a GPU and without weights.

Forward and backward pass run on fake tensors (`models.skeleton`). What DeepSpeed's ZeRO-2 keeps is added by its own
rules (`deepspeed/runtime/zero/stage_1_and_2.py`, 0.19.8): per trainable weight a float32 copy, two moments and a
gradient in the precision of the weights, each split over the processes, and a bucket for gradients that are reduced.
"""

from collections.abc import Mapping
from typing import Any, cast

import torch
from peft import LoraConfig, PeftModel
from transformers import PretrainedConfig, PreTrainedModel

from instruction_selection.core.errors import InputError
from instruction_selection.models import skeleton

#: DeepSpeed's `reduce_bucket_size`, in numbers, where its configuration has none.
REDUCE_BUCKET_SIZE = 500_000_000


def adapter(arguments: Mapping[str, Any]) -> LoraConfig | None:
    """The adapter that LLaMA-Factory makes with these arguments, or None if it trains the whole model."""
    if arguments.get("finetuning_type", "lora") == "full":
        return None
    target = arguments.get("lora_target", "all")
    return LoraConfig(
        r=arguments.get("lora_rank", 8),
        target_modules="all-linear" if target == "all" else [name.strip() for name in target.split(",")],
        lora_dropout=arguments.get("lora_dropout", 0.0),
    )


def peak(
    config: PretrainedConfig,
    arguments: Mapping[str, Any],
    cutoff_len: int,
    processes: int,
    deepspeed: Mapping[str, Any] | None,
) -> int:
    """Peak bytes on each GPU while batches of the longest rows are trained on.

    `arguments` are LLaMA-Factory's. `deepspeed` is the configuration of several processes; a single one trains without.
    Raises `InputError` if it has another stage of ZeRO than 2.
    """
    zero = dict((deepspeed or {}).get("zero_optimization", {})) if processes > 1 else {}
    if zero and zero.get("stage") != 2:
        sentence = f"memory is predicted for ZeRO-2 alone, not for stage {zero.get('stage')}"
        raise InputError("other-zero-stage", sentence, key="deepspeed")
    bf16 = bool(arguments.get("bf16"))
    dtype = torch.bfloat16 if bf16 else torch.float32
    with torch.device("meta"):
        network = skeleton.untrained(config, adapter(arguments), dtype)
        if not zero:
            # LLaMA-Factory trains in float32 what it trains; DeepSpeed casts it to the precision of the others.
            for weight in network.parameters():
                if weight.requires_grad:
                    weight.data = weight.data.float()
        else:
            torch.nn.Module.to(network, dtype)
    trained = sum(weight.numel() for weight in network.parameters() if weight.requires_grad)
    size = dtype.itemsize
    with skeleton.fake_tensors() as storages:
        skeleton.allocate(network)
        network.train()
        if not arguments.get("disable_gradient_checkpointing"):
            # The state of random numbers is a few kB, and reading it fails for fake tensors.
            base = cast(PreTrainedModel, network.get_base_model() if isinstance(network, PeftModel) else network)
            base.gradient_checkpointing_enable({"use_reentrant": True, "preserve_rng_state": False})
            base.enable_input_require_grads()
        if zero:
            # ZeRO-2 moves each gradient into its partition as soon as there is one.
            for weight in network.parameters():
                if weight.requires_grad:
                    weight.register_post_accumulate_grad_hook(_drop_gradient)
        ids = torch.zeros(arguments["per_device_train_batch_size"], cutoff_len, dtype=torch.long)
        weights = storages.live
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16 and not zero):
            loss = network(input_ids=ids, labels=ids, use_cache=False).loss
        loss.backward()
        passes = storages.peak
    if not zero:
        return passes + 8 * trained
    buckets = 2 if zero.get("overlap_comm") else 1
    kept = (12 + size) * trained // processes
    bucket = buckets * size * int(zero.get("reduce_bucket_size", REDUCE_BUCKET_SIZE))
    # At the end of a step, gradients are copied to float32; activations are gone by then.
    return max(passes + kept + bucket, weights + kept + bucket + 4 * trained // processes)


def _drop_gradient(weight: torch.Tensor) -> None:
    weight.grad = None
