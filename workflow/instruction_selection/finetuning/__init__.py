"""Training with LLaMA-Factory: its command line, its tokens, its checkpoints."""

#: How LLaMA-Factory finds the fields of a row.
LLAMAFACTORY_COLUMNS = {"prompt": "instruction", "response": "response"}
