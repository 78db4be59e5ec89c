"""Fill a gradient store: rows of a file, a model with its warm-up adapter, and a projection."""

from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm
from transformers import AutoTokenizer

from instruction_selection.core import files
from instruction_selection.core.uncoded_errors import InputError
from instruction_selection.features.gradients import adam, moments, parameters, per_sample, projection
from instruction_selection.features.gradients.store import Writer
from instruction_selection.models import tokens
from instruction_selection.models.prepare import weights_id


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
    settings: dict,
) -> None:
    """Write part `part[0]` of `part[1]` contiguous parts of the rows in `rows_path`.

    `kinds` lists which rows to keep: `adam`, preconditioned with the moments of `moments_path`, and `sgd`, plain; both
    come from the same backward pass. `settings` is an experiment's `gradients` block.
    """
    number, parts = part
    count = files.count_lines(rows_path)
    if parts > count:
        raise InputError(f"gradients.shards: {parts} shards are too many for the {count} rows of {rows_path}.")
    rows = files.read_jsonl(rows_path, number * count // parts, (number + 1) * count // parts)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = parameters.load(model, adapter, device)
    weights = parameters.trainable(network)
    named_shapes = {name: weight.shape for name, weight in weights.items()}
    sizes = [shape.numel() for shape in named_shapes.values()]
    dimension = settings["projection"]["dimension"]
    identity = {
        "model": weights_id(model),
        "adapter": files.sha256(adapter),
        "moments": files.sha256(moments_path) if moments_path else None,
        "rows": files.sha256(rows_path),
        "parameters": {"count": sum(sizes), "order": parameters.order_hash(named_shapes)},
        "projection": settings["projection"],
        "template": template,
        "cutoff_len": cutoff_len,
        "precision": settings["precision"],
    }
    examples = tokens.encode(rows, AutoTokenizer.from_pretrained(model, local_files_only=True), template, cutoff_len)
    if parts == 1 and not any(example.response_tokens for example in examples):
        raise InputError(
            f"{rows_path}: no row has a response within cutoff_len, {cutoff_len} tokens, so none has a gradient."
        )
    sketch = projection.make(settings["projection"], sizes, device)
    states = moments.read(moments_path, list(named_shapes), device) if "adam" in kinds else None
    sums: dict[str, torch.Tensor] = {}

    def consume(number: int, gradients: torch.Tensor) -> None:
        for kind in kinds:
            values = adam.precondition(gradients, *states[number]) if kind == "adam" else gradients
            sketch.add(number, values, sums[kind])

    batched = per_sample.Batched(network, settings["precision"], consume)
    with (
        Writer(path, len(rows), dimension, kinds, identity) as store,
        tqdm(total=sum(len(example.input_ids) for example in examples), unit="token", desc=Path(path).name) as bar,
    ):
        missing = store.missing()
        empty = [row for row, example in enumerate(examples) if not example.response_tokens and missing[row]]
        if empty:
            nothing = dict.fromkeys(kinds, np.zeros((len(empty), dimension), np.float32))
            no_loss = np.full(len(empty), np.nan, np.float32)
            store.write(empty, [rows[row]["id"] for row in empty], nothing, no_loss, [0] * len(empty))
        for batch in per_sample.batches(examples, settings["batch_tokens"]):
            if missing[batch].any():
                sums.update({kind: sketch.accumulator(len(batch)) for kind in kinds})
                losses = batched.run([examples[row] for row in batch])
                for row in np.asarray(batch)[~losses.isfinite().cpu().numpy()]:
                    print(f"{rows_path}: the loss of row {rows[row]['id']} is not finite; it will not be selected.")
                store.write(
                    batch,
                    [rows[row]["id"] for row in batch],
                    {kind: sketch.finish(sums[kind]).cpu().numpy() for kind in kinds},
                    losses.cpu().numpy(),
                    [examples[row].response_tokens for row in batch],
                )
            bar.update(sum(len(examples[row].input_ids) for row in batch))
        if parts == 1 and not store.any_finite():
            raise InputError(f"{rows_path}: no row has a finite gradient; the model or its warm-up is broken.")
