"""lm-eval's models, with answers scored by the tokens that training has labels for.

lm-eval encodes a prompt and an answer as one text and moves white space at the end of the prompt into the answer, so
that the line break after ChatML's `assistant` would count as a part of it. Training encodes both by themselves.
Requests are told apart by the name of their task, which is the configuration's: no row's text changes how it is scored.
"""

import logging

from lm_eval.api.instance import Instance
from lm_eval.api.registry import get_model, register_model

from instruction_selection.core.uncoded_errors import InputError

#: What separates names and numbers in an argument, where lm-eval takes ',' and '=' for itself.
SEPARATOR = ":"


class ScoresAnswers:
    """Mixed into lm-eval's `hf` and `vllm` models.

    `answers` and `answers_with_end` name tasks of lm-eval's type `loglikelihood`: of the former the answer is scored,
    of the latter the answer and `end_of_turn`, the ids of the tokens that training has labels for after it. All other
    tasks are lm-eval's own business. Each argument is a list separated by ':'.
    """

    def __init__(self, *arguments, answers: str = "", answers_with_end: str = "", end_of_turn: str | int = "", **keys):
        super().__init__(*arguments, **keys)
        self._end = [int(number) for number in _split(end_of_turn)]
        self._after = {name: [] for name in _split(answers)} | {name: self._end for name in _split(answers_with_end)}

    def loglikelihood(self, requests: list[Instance], disable_tqdm: bool = False) -> list[tuple[float, bool]]:
        """For each request the sum of log-probabilities (nats) and whether greedy decoding gives the same tokens."""
        answers = [request for request in requests if request.task_name in self._after]
        others = [request for request in requests if request.task_name not in self._after]
        scores = {}
        if answers:
            # Without a key, because lm-eval's cache knows nothing of ends.
            encoded = [(None, *self._encoded(request)) for request in answers]
            scores |= zip(map(id, answers), self._loglikelihood_tokens(encoded, disable_tqdm=disable_tqdm), strict=True)
        if others:
            scores |= zip(map(id, others), super().loglikelihood(others, disable_tqdm=disable_tqdm), strict=True)
        return [scores[id(request)] for request in requests]

    def _encoded(self, request: Instance) -> tuple[list[int], list[int]]:
        """Ids of the prompt and of what is scored.

        A prompt that is too long for the model loses its beginning, but for the beginning-of-sequence token. It is cut
        to the same length with and without the end of turn.
        """
        text, answer = request.args
        first = [self.tokenizer.bos_token_id] if self.add_bos_token else []
        if first:
            # A chat template has written it.
            text = text.removeprefix(self.tokenizer.bos_token)
        prompt = first + self.tokenizer.encode(text, add_special_tokens=False)
        scored = self.tokenizer.encode(answer, add_special_tokens=False)
        name = f"{request.task_name}: row {request.doc.get('id')}"
        if not scored or not prompt:
            raise InputError(f"{name} has no {'prompt' if scored else 'answer'}.")
        # vLLM writes a token, and has to have room for it.
        room = self.max_length - 1 - len(scored) - len(self._end)
        if room <= len(first):
            raise InputError(f"{name} has an answer of {len(scored)} tokens; the model reads {self.max_length}.")
        if len(prompt) > room:
            logging.getLogger(__name__).warning("%s: the first %d tokens are left out.", name, len(prompt) - room)
            prompt = first + prompt[len(prompt) - room + len(first) :]
        return prompt, scored + self._after[request.task_name]


def _split(argument: str | int) -> list[str]:
    return [part for part in str(argument).split(SEPARATOR) if part]


def register(backend: str) -> None:
    """Make lm-eval's model `backend` with scored answers known to it as `<backend>-answers`."""
    register_model(f"{backend}-answers")(type("Answers", (ScoresAnswers, get_model(backend)), {}))
