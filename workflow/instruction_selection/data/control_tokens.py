"""Text that a tokenizer reads as a control token of a chat model, such as the end of a turn.

Tokenizers turn these strings into single tokens wherever they occur, in LLaMA-Factory's training as well as here and in
lm-eval: an example with `<|im_end|>` in it teaches a model to stop there. Pools are sampled without the model, so this
lists the forms of all common families.
"""

import re

#: Exact tokens by family.
LITERALS = (
    # Llama 2, Mistral, T5
    *("<s>", "</s>", "<unk>", "<pad>", "<mask>"),
    # Gemma
    *("<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>", "<2mass>", "[@BOS@]"),
    # Mistral
    *("[INST]", "[/INST]", "[TOOL_CALLS]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]"),
    *("[TOOL_RESULTS]", "[/TOOL_RESULTS]"),
    # StarCoder and SmolLM
    *("<repo_name>", "<reponame>", "<file_sep>", "<filename>", "<gh_stars>", "<issue_start>", "<issue_comment>"),
    *("<issue_closed>", "<jupyter_start>", "<jupyter_text>", "<jupyter_code>", "<jupyter_output>"),
    *("<jupyter_script>", "<empty_output>"),
)
#: ChatML, Llama 3, Phi and Qwen write <|name|>, DeepSeek the same with full-width bars; the rest are reserved tokens.
FORMS = (r"<\|[^\s<>|]+\|>", r"<｜[^\s<>｜]+｜>", r"<unused\d+>", r"\[control_\d+\]")
_PATTERN = re.compile("|".join((*map(re.escape, LITERALS), *FORMS)))


def first(text: str) -> str | None:
    """The first control token in a text, if there is one."""
    found = _PATTERN.search(text)
    return found.group() if found else None
