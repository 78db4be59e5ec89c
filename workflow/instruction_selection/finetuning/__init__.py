"""Training with LLaMA-Factory: its command line, its tokens, its checkpoints."""
