"""A language model in this process, by transformers; with torch the only importer of both."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chatbot.errors import ModelError
from chatbot.generation import LOOK_SECONDS
from chatbot.types import Message, StopReason

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class TransformersGenerator:
    """Answers greedily with a causal language model; one answer at a time, others wait their turn.

    Load it with `load_transformers_generator`.
    """

    def __init__(self, name: str, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        self._name = name
        self._model = model
        self._tokenizer = tokenizer
        self._model_lock = threading.Lock()
        self._tokenizer_lock = threading.Lock()

    @property
    def name(self) -> str:
        return self._name

    @property
    def window_tokens(self) -> int:
        window = int(getattr(self._model.config, "max_position_embeddings", 2048))
        return min(window, int(self._tokenizer.model_max_length))

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return len(self._encode(messages))

    def stream(self, messages: Sequence[Message], *, max_new_tokens: int) -> Generator[str, None, StopReason]:
        """Yield text as the model writes it, and nothing now and then while another answer is written.

        Closing the generator ends the model's loop.

        :raises ModelError: when the model fails.
        """
        from transformers import TextIteratorStreamer

        prompt = self._encode(messages)
        streamer = TextIteratorStreamer(self._tokenizer, skip_prompt=True, skip_special_tokens=True)
        run = _Run(self._model, prompt, streamer, max_new_tokens)
        while not self._model_lock.acquire(timeout=LOOK_SECONDS):
            yield ""  # whoever listens may want to stop while another answer is written
        try:
            yield from run.follow()
        finally:
            self._model_lock.release()
        if run.error is not None:
            raise ModelError(
                f"The language model {self._name} failed ({type(run.error).__name__}).",
                "Ask again; if it happens again, run: chatbot doctor.",
            ) from run.error
        return run.stop_reason

    def _encode(self, messages: Sequence[Message]) -> list[int]:
        turns = [{"role": message.role, "content": message.content} for message in messages]
        with self._tokenizer_lock:  # fast tokenizers are not safe to share between threads
            encoded = self._tokenizer.apply_chat_template(
                turns, add_generation_prompt=True, tokenize=True, return_dict=True
            )
        ids: list[int] = encoded["input_ids"]
        return ids


class _Run:
    """One call of `generate` in a thread of its own."""

    def __init__(
        self,
        model: PreTrainedModel,
        prompt: list[int],
        streamer: Any,  # noqa: ANN401 - transformers' streamers share no typed base
        max_new_tokens: int,
    ) -> None:
        self.model = model
        self.prompt = prompt
        self.streamer = streamer
        self.stop = threading.Event()
        self.max_new_tokens = max_new_tokens
        self.stop_reason: StopReason = "stopped"
        self.error: Exception | None = None

    def follow(self) -> Iterator[str]:
        """Run the model and yield what it writes; it has ended when this ends, or is closed."""
        thread = threading.Thread(target=self.generate, name="generation", daemon=True)
        thread.start()
        complete = False
        try:
            yield from (piece for piece in self.streamer if piece)
            complete = True
        finally:
            if not complete:
                self.stop.set()
            thread.join()

    def generate(self) -> None:
        """Run the model to its end, or until `stop` is set; the streamer is ended in any case."""
        import torch
        from transformers import StoppingCriteriaList

        try:
            inputs = torch.tensor([self.prompt], device=self.model.device)
            output = self.model.generate(
                inputs,
                attention_mask=torch.ones_like(inputs),
                max_new_tokens=self.max_new_tokens,
                do_sample=False,
                temperature=None,
                top_p=None,
                top_k=None,
                streamer=self.streamer,
                stopping_criteria=StoppingCriteriaList([self._is_stopped]),
                pad_token_id=self.model.generation_config.pad_token_id or 0,
            )
            if not self.stop.is_set():
                full = output.shape[1] - len(self.prompt) >= self.max_new_tokens
                self.stop_reason = "length" if full else "end"
        except Exception as error:  # noqa: BLE001 - handed to the thread that reads the stream
            self.error = error
        finally:
            self.streamer.end()

    def _is_stopped(self, ids: torch.Tensor, _scores: object, **_: object) -> torch.Tensor:
        import torch

        return torch.full((ids.shape[0],), self.stop.is_set(), device=ids.device, dtype=torch.bool)


def load_transformers_generator(location: Path | str, *, name: str, offline: bool) -> TransformersGenerator:
    """Load a model and its tokenizer from a folder or by hub id: bfloat16 where the machine has it.

    :raises ModelError: when it is not there, has no safetensors weights or no chat template.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    cuda = torch.cuda.is_available()
    has_bfloat16 = cuda or torch.ops.mkldnn._is_mkldnn_bf16_supported()
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            str(location), local_files_only=offline, trust_remote_code=False
        )
        model = AutoModelForCausalLM.from_pretrained(
            str(location),
            local_files_only=offline,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.bfloat16 if has_bfloat16 else torch.float32,
        )
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"The language model {location} could not be loaded.",
            "Check the setting generator; a model from a hub needs offline = false the first time.",
        ) from error
    if not tokenizer.chat_template:
        raise ModelError(f"The language model {location} has no chat template.", "Choose an instruct model.")
    return TransformersGenerator(name, model.to("cuda" if cuda else "cpu").eval(), tokenizer)
