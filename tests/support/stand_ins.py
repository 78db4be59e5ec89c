"""Tiny random models with tokenizers that follow the rules of gated ones, as repositories of a hub's mirror."""

import json
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, pre_tokenizers, processors, trainers
from tokenizers import models as algorithms
from transformers import AutoConfig, AutoModelForCausalLM, GemmaTokenizer, LlamaTokenizer, PreTrainedTokenizerFast

#: Llama 3's own.
WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
TEXT = [
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n",
    "### Instruction:\nWhat is the capital of a country?\n\n### Response:\nIt is the city of the government.\n",
]


def llama_3() -> PreTrainedTokenizerFast:
    """Byte-level BPE; the post-processor puts BOS first."""
    tokenizer = Tokenizer(algorithms.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    names = ["<|begin_of_text|>", "<|end_of_text|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=names, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(TEXT, trainer)
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(single=f"{names[0]} $A", special_tokens=[(names[0], 0)]),
        ]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=names[0], eos_token=names[1])


def _sentencepiece(special: list[str]) -> dict:
    """Vocabulary and merges with a byte fallback, as SentencePiece learns them."""
    tokenizer = Tokenizer(algorithms.BPE(byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never", split=True)
    alphabet = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=500, special_tokens=[*special, *alphabet], show_progress=False)
    tokenizer.train_from_iterator(TEXT, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return {"vocab": model["vocab"], "merges": [tuple(merge) for merge in model["merges"]]}


def mistral() -> LlamaTokenizer:
    """SentencePiece; every text that is encoded by itself begins with a space."""
    return LlamaTokenizer(**_sentencepiece(["<unk>", "<s>", "</s>"]), add_bos_token=True)


def gemma() -> GemmaTokenizer:
    """SentencePiece without that space."""
    return GemmaTokenizer(**_sentencepiece(["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]), add_bos_token=True)


#: Tokenizers and architectures by a model of config/models.
STAND_INS = {
    "gemma-7b": (gemma, "gemma", {"head_dim": 16}),
    "llama-3.1-8b": (llama_3, "llama", {}),
    "mistral-7b-v0.3": (mistral, "mistral", {}),
}


def publish(name: str, repository: str, mirror: str | Path) -> None:
    """Write the stand-in for a model of config/models to `mirror`, as if it were the hub's `repository`."""
    make, architecture, settings = STAND_INS[name]
    tokenizer = make()
    configuration = AutoConfig.for_model(
        architecture,
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=512,
        # Large, so that tokens differ in their probabilities.
        initializer_range=0.5,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=None,
        **settings,
    )
    torch.manual_seed(0)
    folder = Path(mirror) / repository
    AutoModelForCausalLM.from_config(configuration, dtype=torch.float32).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
