"""How fast this machine answers from its own documents, and what it is that bounds it: `chatbot bench`."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from chatbot.assistant import Assistant
from chatbot.errors import CorpusError
from chatbot.service import Service
from chatbot.types import Embedder, Message

MATRIX_SIZE = 1024
READ_BYTES = 512 * 1024**2
REPEATS = 5
SAMPLE_CHUNKS = 64
SAMPLE_QUESTIONS = 8
ANSWER_TOKENS = 64


@dataclass(frozen=True, slots=True)
class Measurement:
    """One figure: `value` in `unit`."""

    name: str
    value: float
    unit: str

    def describe(self) -> dict[str, Any]:
        """The measurement for a program."""
        return asdict(self)


def measure_floors() -> dict[str, float]:
    """What the processor can do at most: products of matrices in GFLOP/s, and reading memory in GB/s."""
    import torch

    one, other = (torch.ones(MATRIX_SIZE, MATRIX_SIZE, dtype=torch.bfloat16) for _ in range(2))
    block = torch.ones(READ_BYTES // 4)
    with torch.inference_mode():
        product = min(time_calls(lambda: one @ other, 20))
        read = min(time_calls(block.sum, REPEATS))
    return {
        "matrix product in bfloat16, GFLOP/s": 2 * MATRIX_SIZE**3 / product / 1e9,
        "memory read, GB/s": READ_BYTES / read / 1e9,
    }


def time_calls(work: Callable[[], object], repeats: int) -> Iterator[float]:
    """Seconds of each call, after one that is not counted."""
    work()
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        yield time.perf_counter() - started


def measure_speed(
    service: Service, corpus: str, on_progress: Callable[[str], None]
) -> tuple[list[Measurement], str]:
    """Figures of a corpus on this machine, and a sentence on what bounds them.

    :param service: one that is ready.
    :raises CorpusError: for a corpus without a document that can be searched.
    """
    chosen = next(item for item in service.catalogue.list_corpora() if item.name == corpus)
    questions = list(chosen.starter_questions)[:SAMPLE_QUESTIONS]
    if not chosen.chunks or not questions:
        raise CorpusError(f"The corpus {corpus} holds nothing to search.", "Run: chatbot ingest.")
    on_progress("measuring what the processor can do")
    floors = [
        Measurement(name.split(",")[0], value, name.split(", ")[1])
        for name, value in measure_floors().items()
    ]
    on_progress("measuring search")
    search = statistics.median(
        next(time_calls(partial(service.search, question, corpus=corpus), 1)) for question in questions
    )
    on_progress("measuring answers")
    answers = [service.ask(question, corpus=corpus).finish() for question in questions]
    first = statistics.median(answer.timings.first_word for answer in answers)
    last = statistics.median(answer.timings.total for answer in answers)
    on_progress("measuring the models alone")
    assistant = service.make_assistant()
    passages = service.search(questions[0], corpus=corpus, limit=20).passages
    texts = [passage.text for passage in passages]
    chunks = measure_embedding(assistant.embedder, (texts * SAMPLE_CHUNKS)[:SAMPLE_CHUNKS])
    prompt, tokens = measure_model(assistant, "\n\n".join(texts[:6]))
    results = [
        *floors,
        Measurement("embedding", chunks, "chunks/s"),
        Measurement("search", 1e3 * search, "ms"),
        Measurement("first word", first, "s"),
        Measurement("whole answer", last, "s"),
        Measurement("reading a prompt", prompt, "tokens/s"),
        Measurement("writing", tokens, "tokens/s"),
    ]
    return results, explain_bound(search, first, last)


def measure_embedding(embedder: Embedder, texts: Sequence[str]) -> float:
    """Chunks a second."""
    seconds = min(time_calls(lambda: embedder.embed_documents(texts), 2))
    return len(texts) / seconds


def measure_model(assistant: Assistant, text: str) -> tuple[float, float]:
    """Tokens of a prompt read a second, and tokens written a second."""
    messages = [Message("user", f"{text}\n\nSay what this text is about, in many words.")]
    tokens = assistant.model.count_tokens(messages)
    started = time.perf_counter()
    words = assistant.model.stream(messages, max_new_tokens=ANSWER_TOKENS)
    written = next((piece for piece in words if piece), "")
    first = time.perf_counter()
    written += "".join(words)
    seconds = max(time.perf_counter() - first, 1e-9)
    count = assistant.model.count_tokens([Message("assistant", written)])
    return tokens / (first - started), count / seconds


def explain_bound(search: float, first: float, last: float) -> str:
    """What takes most of an answer's time, and what helps against it; all in seconds."""
    parts = {"search": search, "reading": max(first - search, 0.0), "writing": max(last - first, 0.0)}
    largest = max(parts, key=parts.__getitem__)
    share = parts[largest] / max(last, 1e-9)
    return f"{ADVICE[largest]} ({share:.0%} of a whole answer)"


ADVICE = {
    "search": "Search bounds you, and with it the disk and the size of the corpus",
    "reading": "Reading the passages bounds you, and with it the rate of matrix products: fewer passages "
    "(passage_limit), more cores or a GPU help",
    "writing": "Writing bounds you, and with it the rate at which memory is read: shorter answers "
    "(answer_tokens), faster memory, a smaller model or a GPU help",
}
