"""Fill a gradient store from examples, a model with its warm-up adapter, and a projection."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

import numpy as np
from tqdm import tqdm
from transformers import AutoTokenizer

from instruction_selection.core import code as source
from instruction_selection.core import example, files, worked
from instruction_selection.core.errors import InputError
from instruction_selection.features.gradients import moments, parameters, per_sample, projection
from instruction_selection.features.gradients.projection import ProjectionSettings
from instruction_selection.features.gradients.sketches import Sketches
from instruction_selection.features.gradients.store import NO_GRADIENT, Writer
from instruction_selection.models import batching, checksummed_folder, placement, tokens


class Settings(TypedDict):
    """What of an experiment's `gradients` block decides how a gradient is computed."""

    projection: ProjectionSettings
    precision: str
    """A key of `parameters.DTYPES`."""
    batch_tokens: int
    """Tokens per batch, padding included; changes results by rounding only."""


def fill(
    path: str | Path,
    rows_path: str | Path,
    part: tuple[int, int],
    model: str | Path,
    adapter: str | Path,
    kinds: list[str],
    moments_path: str | Path | None,
    template: str,
    cutoff_len: int,
    settings: Settings,
    code: Mapping[str, str] | None = None,
    gpus: int = 1,
) -> None:
    """Compute the projected gradients of one part of a file's examples and write them to a store at `path`.

    rows_path     JSON lines of `example.Example`: a pool, or a target's validation examples
    part          (number, parts): which of `parts` contiguous parts to compute, from 0
    model         folder made by `prepare.prepare`
    adapter       folder with the warm-up's LoRA adapter, or with its whole model
    kinds         which gradients to store, from one backward pass: `adam`, preconditioned (`adam.precondition`), and
                  `sgd`, plain
    moments_path  the warm-up's moments (`moments.write`), needed for `adam`, else None
    template      LLaMA-Factory's template, with which examples are tokenized
    cutoff_len    tokens of an example at most
    settings      how gradients are computed and projected
    code          hashes of the code that runs (`code.of_job`); shards of two versions are not gathered
    gpus          over how many GPUs the model is split, for one that is larger than a GPU; changes results by rounding

    The store (`store`) has one row per example, in the file's order. It gets its name when it is complete. A killed job
    leaves a partial store, and the same call resumes it: batches that are already written are not computed again. The
    composition of batches depends only on the arguments, so on a CPU a resumed run gives the same bits as one that was
    never interrupted.

    Raises `InputError` for a model, an adapter or moments that are damaged, if this machine has fewer GPUs than `gpus`
    but some, if there are more parts than examples, or if `parts` is 1 and no example has a response within
    `cutoff_len` or a finite gradient. Such examples are otherwise marked as not finite, and methods do not select them.
    """
    number, parts = part
    count = files.count_lines(rows_path)
    if parts > count:
        sentence = f"{parts} shards are too many for {count} examples; set gradients.shards to {count} or fewer"
        raise InputError("too-many-shards", sentence, path=rows_path)
    rows = example.read(rows_path, number * count // parts, (number + 1) * count // parts)
    made_from = {
        "model": checksummed_folder.identity(model),
        "adapter": checksummed_folder.identity(adapter),
        "moments": moments.checksum(moments_path) if moments_path else None,
    }
    placed = placement.of_model(model, parameters.DTYPES[settings["precision"]], gpus)
    network = parameters.load(model, adapter, placed, settings["precision"])
    weights = parameters.trainable(network)
    devices = [weight.device for weight in weights.values()]
    named_shapes = {name: weight.shape for name, weight in weights.items()}
    sizes = [shape.numel() for shape in named_shapes.values()]
    dimension = settings["projection"]["dimension"]
    identity = {
        **made_from,
        "rows": files.sha256(rows_path),
        "parameters": {"count": sum(sizes), "order": parameters.order_hash(named_shapes)},
        "projection": settings["projection"],
        "template": template,
        "cutoff_len": cutoff_len,
        "precision": settings["precision"],
        "code": source.digest(code),
    }
    examples = tokens.encode(rows, AutoTokenizer.from_pretrained(model, local_files_only=True), template, cutoff_len)
    if parts == 1 and not any(example.response_tokens for example in examples):
        sentence = (
            f"no example has a response within cutoff_len ({cutoff_len} tokens), so none has a gradient; raise it"
        )
        raise InputError("no-response", sentence, path=rows_path, key="cutoff_len")
    states = moments.read(moments_path, list(named_shapes), devices) if moments_path and "adam" in kinds else []
    sketches = Sketches(kinds, projection.make(settings["projection"], sizes, devices), states)
    batched = per_sample.Batched(network, settings["precision"], sketches.add)
    with (
        Writer(path, [row["id"] for row in rows], dimension, kinds, identity, settings["batch_tokens"]) as store,
        tqdm(total=sum(len(example.input_ids) for example in examples), unit="token", desc=Path(path).name) as bar,
        worked.timed() as work,
    ):
        missing = store.missing()
        work.share = sum(len(each.input_ids) for each, left in zip(examples, missing, strict=True) if left) / bar.total
        empty = [row for row, example in enumerate(examples) if not example.response_tokens and missing[row]]
        if empty:
            store.write(
                empty,
                gradients=dict.fromkeys(kinds, np.zeros((len(empty), dimension), np.float32)),
                losses=np.full(len(empty), np.nan, np.float32),
                response_tokens=[0] * len(empty),
            )
        for batch in batching.by_length(examples, batching.with_response(examples), settings["batch_tokens"]):
            if missing[batch].any():
                sketches.start(len(batch))
                losses = batched.run([examples[row] for row in batch])
                for row in np.asarray(batch)[~losses.isfinite().cpu().numpy()]:
                    print(f"{rows_path}: the loss of example {rows[row]['id']} is not finite; it is not selected.")
                store.write(
                    batch,
                    gradients=sketches.finish(),
                    losses=losses.cpu().numpy(),
                    response_tokens=[examples[row].response_tokens for row in batch],
                )
            bar.update(sum(len(examples[row].input_ids) for row in batch))
        if parts == 1 and not store.any_finite():
            raise InputError("no-finite-gradient", f"no example {NO_GRADIENT}", path=rows_path)
