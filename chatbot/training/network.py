"""The reading model while it learns: a batch of lessons in, a loss out. Plain torch, no settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from chatbot.reading.passage_reader import load_base, name_inputs
from chatbot.training.lessons import Lesson

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel

LESSON_TOKENS = 288
SHAPE_TOKENS = 32
FROZEN_LAYERS = 2
"""The embeddings and the lowest layers stay as they are: faster, and less to ship."""
LONGEST_EAGER_TOKENS = 216
"""On a processor plain attention is quicker for shorter texts, the fused one for longer ones."""
IGNORED = -1e4


@dataclass(frozen=True, slots=True)
class Batch:
    """Lessons as tensors: a row for each passage, of shape (rows, tokens).

    `allowed` are the tokens that an answer may have, and the first of each row, which stands for
    "not here"; `groups` the first row and the one behind the last of each lesson; `targets` the row
    within the lesson and the first and last token of its answer, None for "in none of them".
    """

    ids: torch.Tensor
    mask: torch.Tensor
    types: torch.Tensor
    allowed: torch.Tensor
    groups: tuple[tuple[int, int], ...]
    targets: tuple[tuple[int, int, int] | None, ...]


def make_student(base: Path) -> PreTrainedModel:
    """A BERT with new outputs, ready to learn; for an MPNet see `adapters`."""
    model = load_base(base)
    model.config.hidden_dropout_prob = 0.1
    encoder = model.bert
    for part in (encoder.embeddings, *encoder.encoder.layer[:FROZEN_LAYERS]):
        for weights in part.parameters():
            weights.requires_grad = False
    # The model was built with the dropout of its file; attention without any can be computed at once.
    for layer in encoder.encoder.layer:
        layer.attention.self.dropout.p = 0.0
        layer.attention.self.attention_dropout = 0.0
    model.train()
    return model


def make_batch(lessons: Sequence[Lesson], tokenizer: Tokenizer) -> Batch:
    """Lessons as tensors. A lesson whose answer was cut off counts as one without an answer's place."""
    import torch

    tokenizer.enable_truncation(LESSON_TOKENS, strategy="only_second")
    # Few different shapes: the processor's kernels are made and kept for each, which takes time and memory.
    tokenizer.enable_padding(pad_to_multiple_of=SHAPE_TOKENS)
    pairs: list[tuple[str, str]] = []
    shifts: list[int] = []
    groups: list[tuple[int, int]] = []
    for lesson in lessons:
        groups.append((len(pairs), len(pairs) + len(lesson.passages)))
        for passage in lesson.passages:
            pairs.append((lesson.question, passage.whole))
            shifts.append(len(passage.whole) - len(passage.text))
    encodings = tokenizer.encode_batch(pairs)
    allowed = torch.tensor([[kind == 1 for kind in item.sequence_ids] for item in encodings])
    allowed[:, 0] = True
    targets = []
    for lesson, (row, _) in zip(lessons, groups, strict=True):
        target = None
        if lesson.answer is not None:
            start, end = (offset + shifts[row] for offset in lesson.answer)
            own = zip(encodings[row].offsets, encodings[row].sequence_ids, strict=True)
            inside = [
                place
                for place, ((first, last), kind) in enumerate(own)
                if kind == 1 and last > start and first < end
            ]
            target = (0, inside[0], inside[-1]) if inside else None
        targets.append(target)
    return Batch(
        ids=torch.tensor([item.ids for item in encodings]),
        mask=torch.tensor([item.attention_mask for item in encodings]),
        types=torch.tensor([item.type_ids for item in encodings]),
        allowed=allowed,
        groups=tuple(groups),
        targets=tuple(targets),
    )


def compute_loss(model: PreTrainedModel, batch: Batch, *, device: str) -> torch.Tensor:
    """The mean cross-entropy of begin and end over all passages of a lesson together.

    "Not here" is right where any passage says so: its probability is the sum over the passages
    (shared normalisation, Clark & Gardner 2018).
    """
    import torch

    kind = model.config.model_type
    if kind == "bert":  # MPNet has plain attention alone
        short = batch.ids.shape[1] <= LONGEST_EAGER_TOKENS and device == "cpu"
        model.config._attn_implementation = "eager" if short else "sdpa"
    with torch.autocast(device, dtype=torch.bfloat16):
        output = model(
            input_ids=batch.ids.to(device),
            attention_mask=batch.mask.to(device),
            **name_inputs(kind, batch.types.to(device)),
        )
    allowed = batch.allowed.to(device)
    losses = []
    for number, logits in enumerate((output.start_logits.float(), output.end_logits.float())):
        logits = logits.masked_fill(~allowed, IGNORED)
        for (first, last), target in zip(batch.groups, batch.targets, strict=True):
            own = logits[first:last]
            right = torch.logsumexp(own[:, 0], 0) if target is None else own[target[0], target[1 + number]]
            losses.append(torch.logsumexp(own.reshape(-1), 0) - right)
    return torch.stack(losses).mean()
