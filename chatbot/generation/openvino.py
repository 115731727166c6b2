"""A language model in this process, by openvino-genai: several answers at once, each stoppable."""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import queue
import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chatbot.engines import make_properties
from chatbot.errors import ModelError
from chatbot.generation import LOOK_SECONDS
from chatbot.graphs.saving import locate_weights
from chatbot.memory import give_back_file
from chatbot.types import Message, StopReason

if TYPE_CHECKING:
    import openvino_genai as genai

logger = logging.getLogger(__name__)

BLOCK_TOKENS = 32
"""The pipeline keeps keys and values in blocks of so many tokens."""
CACHE_TOKENS = 8192
"""Keys and values of at least so many tokens are kept, those of finished prompts for the next one."""
STEP_TOKENS = 1024
"""The most tokens of prompts and answers in one step: a long prompt holds others up for no longer."""
WARM_UP_TOKENS = 16
LOOKUP_TOKENS = 5
LOOKUP_MATCH_TOKENS = 3
"""Prompt lookup (Saxena 2023): what follows the last few tokens in the prompt is tried as their sequel."""

Piece = list[int] | StopReason | Exception
"""What a request hears: tokens as they come, then why it ended."""


@dataclass(slots=True)
class _Request:
    """One answer being written."""

    prompt: list[int]
    max_new_tokens: int
    pieces: queue.SimpleQueue[Piece] = field(default_factory=queue.SimpleQueue)
    stop: threading.Event = field(default_factory=threading.Event)
    handle: Any = None


class OpenVinoGenerator:
    """Answers greedily; answers that are asked for at the same time are written in one batch.

    One thread alone speaks to the pipeline, which runs prompts and answers in common steps (continuous
    batching, Yu et al. 2022) and finds again what it knows of the beginning of a prompt. Load it with
    `load_openvino_generator`.
    """

    def __init__(
        self,
        name: str,
        pipeline: genai.ContinuousBatchingPipeline,
        *,
        window_tokens: int,
        end_tokens: set[int],
    ) -> None:
        self._name = name
        self._pipeline = pipeline
        self._tokenizer = pipeline.get_tokenizer()
        self._window_tokens = window_tokens
        self._end_tokens = end_tokens
        self._arrivals: queue.SimpleQueue[_Request] = queue.SimpleQueue()
        self._numbers = itertools.count()
        threading.Thread(target=self._work, name="generation", daemon=True).start()

    @property
    def name(self) -> str:
        return self._name

    @property
    def window_tokens(self) -> int:
        return self._window_tokens

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return len(self._encode(messages))

    def stream(self, messages: Sequence[Message], *, max_new_tokens: int) -> Generator[str, None, StopReason]:
        """Yield text as the model writes it, and nothing now and then while there is none.

        Closing the generator ends it at the next token.

        :raises ModelError: when the model fails.
        """
        request = _Request(self._encode(messages), max_new_tokens)
        self._arrivals.put(request)
        written: list[int] = []
        shown = 0
        try:
            while True:
                try:
                    piece = request.pieces.get(timeout=LOOK_SECONDS)
                except queue.Empty:
                    yield ""  # whoever listens may want to stop while the prompt waits or is read
                    continue
                if isinstance(piece, Exception):
                    raise ModelError(
                        f"The language model {self._name} failed ({type(piece).__name__}).",
                        "Ask again; if it happens again, run: chatbot doctor.",
                    ) from piece
                is_end = isinstance(piece, str)
                if not isinstance(piece, str):
                    written += piece
                text = self._tokenizer.decode(written) if written else ""
                # The first bytes of a character that is not complete are decoded to a replacement.
                end = len(text) if is_end else len(text.rstrip("\ufffd"))
                if end > shown:
                    yield text[shown:end]
                    shown = end
                if isinstance(piece, str):
                    return piece
        finally:
            request.stop.set()

    def _encode(self, messages: Sequence[Message]) -> list[int]:
        turns = [{"role": message.role, "content": message.content} for message in messages]
        prompt = self._tokenizer.apply_chat_template(turns, add_generation_prompt=True)
        encoded = self._tokenizer.encode(prompt, add_special_tokens=False)
        ids: list[int] = encoded.input_ids.data[0].tolist()
        return ids

    # In the thread of the pipeline

    def _work(self) -> None:
        running: list[_Request] = []
        while True:
            try:
                self._admit(running)
                self._pipeline.step()
                running = [request for request in running if self._hand_out(request)]
            except Exception as error:
                logger.exception("the language model failed")
                for request in running:
                    request.pieces.put(error)
                    with contextlib.suppress(RuntimeError):
                        request.handle.stop()
                running = []

    def _admit(self, running: list[_Request]) -> None:
        """Add what has arrived; with nothing to do, wait for something."""
        while not (running and self._arrivals.empty()):
            request = self._arrivals.get()
            try:
                self._add(request)
            except Exception as error:  # noqa: BLE001 - handed to the thread that reads the answer
                request.pieces.put(error)
            else:
                running.append(request)

    def _add(self, request: _Request) -> None:
        import openvino as ov

        ids = ov.Tensor(np.array([request.prompt], dtype=np.int64))
        config = make_config(request.max_new_tokens, self._end_tokens)
        request.handle = self._pipeline.add_request(next(self._numbers), ids, config)

    def _hand_out(self, request: _Request) -> bool:
        """Pass on what a step brought; whether the answer goes on."""
        from openvino_genai import GenerationFinishReason, GenerationStatus

        if request.stop.is_set():
            request.handle.stop()
            return False
        reason = GenerationFinishReason.NONE
        while request.handle.can_read():
            for output in request.handle.read().values():
                request.pieces.put([token for token in output.generated_ids if token not in self._end_tokens])
                reason = output.finish_reason
        status = request.handle.get_status()
        if status == GenerationStatus.RUNNING:
            return True
        if status == GenerationStatus.IGNORED:
            request.pieces.put(MemoryError("the prompt does not fit into the memory for keys and values"))
        else:
            request.pieces.put("length" if reason == GenerationFinishReason.LENGTH else "end")
        return False


def make_config(max_new_tokens: int, end_tokens: set[int]) -> genai.GenerationConfig:
    """Greedy, with words of the prompt tried first."""
    import openvino_genai as genai

    config = genai.GenerationConfig()
    config.max_new_tokens = max_new_tokens
    config.do_sample = False
    config.eos_token_id = min(end_tokens)
    config.stop_token_ids = end_tokens
    config.apply_chat_template = False
    config.num_assistant_tokens = LOOKUP_TOKENS
    config.max_ngram_size = LOOKUP_MATCH_TOKENS
    return config


def load_openvino_generator(folder: Path, *, name: str) -> OpenVinoGenerator:
    """Load a model from a folder that `graph_conversion` wrote.

    :raises ModelError: when it cannot be loaded or has no chat template.
    """
    import openvino_genai as genai

    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        window_tokens = int(config["max_position_embeddings"])
        scheduler = genai.SchedulerConfig()
        scheduler.enable_prefix_caching = True
        scheduler.num_kv_blocks = max(window_tokens, CACHE_TOKENS) // BLOCK_TOKENS + 1
        scheduler.max_num_batched_tokens = STEP_TOKENS
        properties = {**make_properties(), "prompt_lookup": True}
        del properties["PERFORMANCE_HINT"]
        pipeline = genai.ContinuousBatchingPipeline(folder, scheduler, "CPU", properties)
        tokenizer = pipeline.get_tokenizer()
        end_tokens = read_end_tokens(folder) or {int(tokenizer.get_eos_token_id())}
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(
            f"The language model in {folder} could not be loaded.",
            "Delete that folder and start again; or set engine to torch.",
        ) from error
    warm_up(pipeline, end_tokens)
    # The first run has arranged the weights for this processor.
    give_back_file(locate_weights(folder))
    if not tokenizer.chat_template:
        raise ModelError(f"The language model {name} has no chat template.", "Choose an instruct model.")
    return OpenVinoGenerator(name, pipeline, window_tokens=window_tokens, end_tokens=end_tokens)


def warm_up(pipeline: genai.ContinuousBatchingPipeline, end_tokens: set[int]) -> None:
    """Let a pipeline write a token, so that what its first run takes longer is done before anybody waits."""
    import openvino as ov

    ids = np.full((1, WARM_UP_TOKENS), min(end_tokens), dtype=np.int64)
    handle = pipeline.add_request(0, ov.Tensor(ids), make_config(2, end_tokens))
    while pipeline.has_non_finished_requests():
        pipeline.step()
    while handle.can_read():
        handle.read()


def read_end_tokens(folder: Path) -> set[int]:
    """The tokens that end an answer, as the model's makers say; empty where they do not."""
    try:
        config = json.loads((folder / "generation_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return set()
    ends = config.get("eos_token_id")
    return set(ends) if isinstance(ends, list) else {ends} - {None}
