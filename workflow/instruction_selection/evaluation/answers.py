"""lm-eval's models, with answers scored on the same tokens that training has labels for.

lm-eval encodes a prompt and an answer as one text and moves white space at the end of the prompt into the answer, so
the line break after ChatML's `assistant` would be scored as part of it. Training encodes the two separately. The name
of its task, which comes from the configuration, decides how a request is scored; an example's text never does.
"""

import contextlib
import logging
import time
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Protocol

import torch
from lm_eval.api.instance import Instance
from lm_eval.api.model import TemplateLM
from lm_eval.api.registry import get_model, register_model
from tqdm import tqdm

from instruction_selection.core.errors import InputError
from instruction_selection.models.response_loss import response_logits
from instruction_selection.models.tokenized_example import IGNORE_INDEX, TokenizedExample

#: Ids of a prompt's tokens, and of the tokens that are scored after it.
Encoded = tuple[list[int], list[int]]
#: The sum of the scored tokens' log-probabilities (nats), and whether greedy decoding gives the same tokens.
Score = tuple[float, bool]

#: Separates names and numbers in an argument, where lm-eval reserves ',' and '='.
SEPARATOR = ":"


class Tokenizer(Protocol):
    """What is used of the tokenizers of transformers and of vLLM."""

    bos_token: str
    bos_token_id: int

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]: ...


class ScoresAnswers(TemplateLM):
    """A mixin for lm-eval's `hf` and `vllm` models.

    `answers` and `answers_with_end` name tasks of lm-eval's type `loglikelihood`. For the former the answer is scored;
    for the latter the answer and `end_of_turn`, the ids of the tokens that training has labels for after it. All other
    tasks are left to lm-eval. Each argument is a list separated by ':'.
    """

    # Both models have these.
    tokenizer: Tokenizer
    add_bos_token: bool
    max_length: int

    def __init__(
        self,
        *arguments: object,
        answers: str = "",
        answers_with_end: str = "",
        end_of_turn: str | int = "",
        **keys: object,
    ):
        super().__init__(*arguments, **keys)
        self._end = [int(number) for number in _split(end_of_turn)]
        self._after: dict[str | None, list[int]] = {
            **{name: [] for name in _split(answers)},
            **{name: self._end for name in _split(answers_with_end)},
        }

    def loglikelihood(self, requests: list[Instance], disable_tqdm: bool = False) -> list[Score]:
        answers = [request for request in requests if request.task_name in self._after]
        others = [request for request in requests if request.task_name not in self._after]
        scores = {}
        if answers:
            scored = self._score_answers([self._encoded(request) for request in answers], disable_tqdm)
            scores |= zip(map(id, answers), scored, strict=True)
        if others:
            scores |= zip(map(id, others), super().loglikelihood(others, disable_tqdm=disable_tqdm), strict=True)
        return [scores[id(request)] for request in requests]

    def _score_answers(self, encoded: Sequence[Encoded], disable_tqdm: bool) -> list[Score]:
        # Without a key, because lm-eval's cache ignores ends of turns.
        return self._loglikelihood_tokens(
            # The annotation has no None, but lm-eval itself passes it for rolling requests.
            [(None, *each) for each in encoded],  # pyright: ignore[reportArgumentType]
            disable_tqdm=disable_tqdm,
        )

    def _encoded(self, request: Instance) -> Encoded:
        """A prompt that is too long for the model is truncated at its beginning, but keeps the beginning-of-sequence
        token. It is truncated to the same length with and without the end of turn.
        """
        text, answer = request.arguments
        first = [self.tokenizer.bos_token_id] if self.add_bos_token else []
        if first:
            # A chat template has already written it.
            text = text.removeprefix(self.tokenizer.bos_token)
        prompt = first + self.tokenizer.encode(text, add_special_tokens=False)
        scored = self.tokenizer.encode(answer, add_special_tokens=False)
        name = f"{request.task_name}: example {request.doc.get('id')}"
        if not scored or not prompt:
            raise InputError("empty-example", f"this example has no {'prompt' if scored else 'answer'}", key=name)
        # vLLM generates a token and needs room for it.
        room = self.max_length - 1 - len(scored) - len(self._end)
        if room <= len(first):
            sentence = f"the answer has {len(scored)} tokens, which do not fit the model's {self.max_length}"
            raise InputError("answer-too-long", sentence, key=name)
        if len(prompt) > room:
            logging.getLogger(__name__).warning(
                "%s: the first %d tokens of the prompt are dropped.", name, len(prompt) - room
            )
            prompt = first + prompt[len(prompt) - room + len(first) :]
        return prompt, scored + self._after[request.task_name]


class HeadAtAnswers(ScoresAnswers):
    """A mixin for lm-eval's `hf` model: the vocabulary's probabilities are computed only where an answer is scored.

    lm-eval computes them at every token of prompt, answer and padding, and holds them for the whole batch. With short
    answers (BIG-Bench Hard, SmolLM2-135M in bfloat16) that took a fifth of the time.
    """

    # Of lm-eval's `hf` model.
    model: torch.nn.Module
    batch_size: int

    def _score_answers(self, encoded: Sequence[Encoded], disable_tqdm: bool) -> list[Score]:
        examples = [
            TokenizedExample(prompt + answer, [IGNORE_INDEX] * len(prompt) + answer) for prompt, answer in encoded
        ]
        scores: dict[int, Score] = {}
        device = next(self.model.parameters()).device
        # The longest first, as lm-eval has it: a batch that does not fit in memory fails at once.
        order = sorted(range(len(examples)), key=lambda row: -len(examples[row].input_ids))
        bar = tqdm(total=len(order), desc="Scoring answers", unit="answer", disable=disable_tqdm)
        with torch.inference_mode(), bar:
            for start in range(0, len(order), self.batch_size):
                rows = order[start : start + self.batch_size]
                logits, targets = response_logits(self.model, [examples[row] for row in rows], device)
                scores |= zip(rows, map(_score, logits, targets), strict=True)
                bar.update(len(rows))
        return [scores[row] for row in range(len(examples))]


def _score(logits: torch.Tensor, targets: torch.Tensor) -> Score:
    """Of one row: logits (P, V) in any precision, and the P scored tokens, or IGNORE_INDEX where there is none."""
    # Of a whole batch in float32 they would take gigabytes.
    own, tokens = logits[targets != IGNORE_INDEX].float(), targets[targets != IGNORE_INDEX]
    scored = own.log_softmax(-1).gather(1, tokens[:, None]).double().sum()
    return float(scored), bool((own.argmax(-1) == tokens).all())


#: How answers are scored, by lm-eval's name of the model.
SCORING: dict[str, type[ScoresAnswers]] = {"hf": HeadAtAnswers, "vllm": ScoresAnswers}


class Timed(TemplateLM):
    """A mixin for lm-eval's models that adds up the seconds in which they answer requests.

    lm-eval's own total counts imports, tasks and weights as well: 13 of 24 s for a model of two layers and 8 rows.
    """

    seconds: ClassVar[float] = 0.0

    def loglikelihood(self, requests: list[Instance], disable_tqdm: bool = False) -> list[tuple[float, bool]]:
        with _added():
            return super().loglikelihood(requests, disable_tqdm=disable_tqdm)

    def loglikelihood_rolling(self, requests: list[Instance], disable_tqdm: bool = False) -> Any:
        with _added():
            return super().loglikelihood_rolling(requests, disable_tqdm=disable_tqdm)

    def generate_until(self, requests: list[Instance], disable_tqdm: bool = False) -> Any:
        with _added():
            return super().generate_until(requests, disable_tqdm=disable_tqdm)


@contextlib.contextmanager
def _added() -> Iterator[None]:
    start = time.perf_counter()
    yield
    Timed.seconds += time.perf_counter() - start


def _split(argument: str | int) -> list[str]:
    return [part for part in str(argument).split(SEPARATOR) if part]


def register(backend: str) -> None:
    """Register lm-eval's model `backend`, which then scores answers and is `Timed`, as `<backend>-answers`."""
    register_model(f"{backend}-answers")(type("Answers", (Timed, SCORING[backend], get_model(backend)), {}))
