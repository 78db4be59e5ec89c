"""Base models: their files, and their templates and tokens as LLaMA-Factory has them. Knows `core` and `data`."""

from typing import Any

from instruction_selection.core.example import Example
from instruction_selection.core.missing import stand_in_for

#: How LLaMA-Factory finds the fields of an example.
LLAMAFACTORY_COLUMNS = {"prompt": "instruction", "response": "response"}

#: How it finds the turns of a chat.
LLAMAFACTORY_CHAT = {
    "formatting": "sharegpt",
    "columns": {"messages": "messages"},
    "tags": {
        **{"role_tag": "role", "content_tag": "content"},
        **{"user_tag": "user", "assistant_tag": "assistant", "system_tag": "system"},
    },
}


def dataset_layout(example: Example) -> dict[str, Any]:
    """LLaMA-Factory's description of a file of examples (dataset_info.json), of which this is one."""
    return LLAMAFACTORY_CHAT if "messages" in example else {"columns": LLAMAFACTORY_COLUMNS}


# LLaMA-Factory imports torchaudio for its multimodal models, but torchaudio does not load with a CPU-only torch.
stand_in_for("torchaudio", "text models do not use it")
