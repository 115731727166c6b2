"""Reads passages for a question with a small encoder on this machine; see `reading.py` for what comes out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from chatbot.chunking import join_for_embedding
from chatbot.errors import ModelError
from chatbot.graphs.mpnet import FIRST_POSITION
from chatbot.reading.reading import (
    UNCHANGED,
    Numbers,
    OddsScale,
    PassageReading,
    Reading,
    merge_windows,
)
from chatbot.reading.weights import NEXT_STEP, apply_differences, read_weights
from chatbot.types import Passage

if TYPE_CHECKING:
    import torch
    from tokenizers import Encoding, Tokenizer
    from transformers import PreTrainedModel

WINDOW_TOKENS = 320
"""Question and passage together; a longer passage is read in several windows."""
OVERLAP_TOKENS = 64
LONGEST_QUESTION_TOKENS = 96
WINDOWS_AT_ONCE = 32


ComputeLogits = Callable[[Sequence["Encoding"]], Iterable[Numbers]]
"""Runs the encoder over windows: for each two numbers a token, of shape (tokens or more, 2)."""
OUTPUTS = "qa_outputs"
"""What transformers calls the last layer, which makes the two numbers."""


class PassageReader:
    """An encoder with two outputs a token. Safe to call from several threads.

    Load it with `load_passage_reader`, or, to run on OpenVINO, with `load_graph_reader`. `note` is what
    users are to know of it, in a sentence.
    """

    def __init__(
        self, compute_logits: ComputeLogits, tokenizer: Tokenizer, scale: OddsScale = UNCHANGED
    ) -> None:
        self.note = ""
        self._compute_logits = compute_logits
        self._scale = scale
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
        return Reading(readings, self._scale)

    def _shorten_question(self, question: str) -> str:
        """The end of a question that is too long, where what is asked mostly stands."""
        offsets = self._question_tokenizer.encode(question, add_special_tokens=False).offsets
        if len(offsets) <= LONGEST_QUESTION_TOKENS:
            return question
        return question[offsets[-LONGEST_QUESTION_TOKENS][0] :]

    def _run(self, windows: Sequence[Encoding]) -> Iterator[Numbers]:
        """For each window the two logits of every token, of shape (tokens, 2)."""
        for first in range(0, len(windows), WINDOWS_AT_ONCE):
            yield from self._compute_logits(windows[first : first + WINDOWS_AT_ONCE])


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

    :param base: the folder of the encoder that it was trained from, a BERT or an MPNet.
    :param weights: what training changed.
    :raises ModelError: when the weights are missing, damaged, or belong to another base.
    """
    import torch
    from tokenizers import Tokenizer

    model = load_base(base)
    scale = load_weights(model, weights, base_sha256=base_sha256)
    if torch.cuda.is_available():
        model.to("cuda")
    if torch.cuda.is_available() or torch.ops.mkldnn._is_mkldnn_bf16_supported():
        model.bfloat16()
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    set_window(tokenizer)
    return PassageReader(partial(compute_with_torch, model.eval()), tokenizer, scale)


def compute_with_torch(model: PreTrainedModel, windows: Sequence[Encoding]) -> Numbers:
    """The logits of windows by PyTorch."""
    import torch

    longest = max(sum(window.attention_mask) for window in windows)
    ids, mask, types = (
        torch.tensor([getattr(window, name)[:longest] for window in windows], device=model.device)
        for name in ("ids", "attention_mask", "type_ids")
    )
    kind = model.config.model_type
    with torch.inference_mode():
        output = model(input_ids=ids, attention_mask=mask, **name_inputs(kind, types))
    logits: Numbers = torch.stack([output.start_logits, output.end_logits], dim=-1).float().cpu().numpy()
    return logits


def name_inputs(kind: str, types: torch.Tensor) -> dict[str, torch.Tensor]:
    """What an encoder takes besides tokens and mask: BERT the sequence that each token is of, MPNet places.

    It would count the places itself, but not those behind a "<pad>" that stands in a document.
    """
    import torch

    if kind != "mpnet":
        return {"token_type_ids": types}
    places = torch.arange(types.shape[1], device=types.device) + FIRST_POSITION
    return {"position_ids": places.expand_as(types)}


def load_weights(model: PreTrainedModel, weights: Path, *, base_sha256: str) -> OddsScale:
    """Put what a training changed on top of the base that `load_base` gave; how its odds are read.

    :raises ModelError: when the weights are missing, damaged, or belong to another base.
    """
    packed = read_weights(weights, base_sha256=base_sha256)
    try:
        model.load_state_dict(apply_differences(packed.tensors, list_base_weights(model)))
    except (RuntimeError, KeyError) as error:
        raise ModelError(f"The reading model's weights {weights} do not fit.", NEXT_STEP) from error
    return packed.odds_scale


def load_base(base: Path) -> PreTrainedModel:
    """An encoder in 32 bits, with new outputs that know nothing."""
    import torch
    from transformers import AutoModelForQuestionAnswering
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    verbosity = transformers_logging.get_verbosity()
    # It would tell at length that the outputs are new and the pooler is not used.
    transformers_logging.set_verbosity_error()
    try:
        model = AutoModelForQuestionAnswering.from_pretrained(
            base, dtype=torch.float32, use_safetensors=True, local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        raise ModelError(f"The model in {base} cannot be loaded.", "Run: chatbot doctor.") from error
    finally:
        transformers_logging.set_verbosity(verbosity)
    return model


def list_base_weights(model: PreTrainedModel) -> dict[str, torch.Tensor]:
    """The weights that a model brought with it: all but its outputs, by name."""
    return {
        name: weights for name, weights in model.state_dict().items() if not name.startswith(f"{OUTPUTS}.")
    }


def set_window(tokenizer: Tokenizer) -> None:
    """Let a tokenizer cut long passages into overlapping windows, and pad the shorter ones."""
    tokenizer.enable_truncation(WINDOW_TOKENS, stride=OVERLAP_TOKENS, strategy="only_second")
    tokenizer.enable_padding()
