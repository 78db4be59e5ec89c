"""Training with LLaMA-Factory: its command line and its checkpoints. Knows `core` and `models`."""

#: In a training's output folder: the step at which the loss or the gradient norm was not finite (`divergence`).
DIVERGED = "diverged.json"
