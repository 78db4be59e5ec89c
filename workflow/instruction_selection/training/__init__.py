"""Training with LLaMA-Factory: its command line and its checkpoints. Knows `core` and `models`."""
