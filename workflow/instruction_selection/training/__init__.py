"""Training with LLaMA-Factory: its command line and its checkpoints. Knows `core` and `models`."""

#: In a training's output folder: the step at which the loss or the gradient norm was not finite (`divergence`).
DIVERGED = "diverged.json"
#: There as well: names in `lora_target` that the model has no layer for (`layers`).
UNKNOWN_LAYERS = "unknown_layers.json"
