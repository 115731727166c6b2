"""One system under measurement in a process of its own; started by compare.py, prints one line of JSON.

    python benchmarks/compare_systems.py SYSTEM WORK.json

The stacks are those of their makers' tutorials: the same embedding model (in 32 bits, their default),
the same language model, Chroma, four passages, greedy, answers of 128 tokens.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

ANSWER_TOKENS = 128
PASSAGES = 4
WARM_UP_QUESTION = "What is this about?"


class Writer(Protocol):
    """What is measured of a language model."""

    def generate(self, prompt: str) -> Iterator[str]:
        """What the language model writes for a prompt, a token or more at a time."""


class System(Writer, Protocol):
    """What is measured of a whole stack: everything from files to words."""

    def ingest(self, folder: Path) -> int:
        """Read, cut and embed the files; how many chunks there are."""

    def search(self, question: str) -> int:
        """How many passages were found."""

    def answer(self, question: str) -> Iterator[str]:
        """The answer's words as they come."""


class Ours:
    """Our chatbot, as `chatbot serve` puts it together, without the page."""

    def __init__(self, work: dict[str, Any]) -> None:
        from chatbot.build import build_service, set_offline_environment
        from chatbot.scratch import make_scratch_settings
        from chatbot.settings import load_settings

        set_offline_environment(offline=True)
        self._scratch = make_scratch_settings(load_settings(), "bench", documents=Path(work["folder"]))
        settings = self._scratch.__enter__()
        settings = settings.model_copy(update={"parallel_answers": 16, "watch_seconds": 0.0})
        self._service = build_service(settings)
        self._service.start(ingest=False)
        self._service.wait_until_ready()

    def ingest(self, folder: Path) -> int:
        del folder  # the corpus's documents folder stands for it
        return self._service.upkeep.ingest_now("bench", lambda _: None, lambda _: None).chunks

    def search(self, question: str) -> int:
        return len(self._service.search(question, corpus="bench", limit=PASSAGES).passages)

    def answer(self, question: str) -> Iterator[str]:
        yield from self._service.ask(question, corpus="bench")

    def generate(self, prompt: str) -> Iterator[str]:
        from chatbot.types import Message

        model = self._service.make_assistant().model
        yield from model.stream([Message("user", prompt)], max_new_tokens=ANSWER_TOKENS)


class LangChain:
    """The tutorial "Build a retrieval augmented generation app": loader, splitter, Chroma, a chain."""

    def __init__(self, work: dict[str, Any]) -> None:
        from langchain_chroma import Chroma
        from langchain_huggingface import HuggingFaceEmbeddings

        self._model, self._tokenizer = load_transformers(work["model"])
        self._embeddings = HuggingFaceEmbeddings(model_name=work["embedder"])
        self._store = Chroma(embedding_function=self._embeddings, persist_directory=work["scratch"])

    def ingest(self, folder: Path) -> int:
        from langchain_core.documents import Document
        from langchain_text_splitters import RecursiveCharacterTextSplitter

        documents = [
            Document(path.read_text("utf-8", "replace"), metadata={"source": str(path)})
            for path in sorted(folder.rglob("*.md"))
        ]
        splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
        chunks = splitter.split_documents(documents)
        for first in range(0, len(chunks), 5000):
            self._store.add_documents(chunks[first : first + 5000])
        return len(chunks)

    def search(self, question: str) -> int:
        return len(self._store.similarity_search(question, k=PASSAGES))

    def answer(self, question: str) -> Iterator[str]:
        found = self._store.similarity_search(question, k=PASSAGES)
        yield from self.generate(make_prompt(question, [item.page_content for item in found]))

    def generate(self, prompt: str) -> Iterator[str]:
        yield from stream_transformers(self._model, self._tokenizer, prompt)


class LlamaIndex:
    """The starter tutorial: a vector index over nodes, Chroma beneath, a query engine."""

    def __init__(self, work: dict[str, Any]) -> None:
        import chromadb
        from llama_index.embeddings.huggingface import HuggingFaceEmbedding
        from llama_index.vector_stores.chroma import ChromaVectorStore

        self._model, self._tokenizer = load_transformers(work["model"])
        self._embedding = HuggingFaceEmbedding(model_name=work["embedder"])
        collection = chromadb.PersistentClient(work["scratch"]).get_or_create_collection("bench")
        self._store = ChromaVectorStore(chroma_collection=collection)

    def ingest(self, folder: Path) -> int:
        from llama_index.core import Document, StorageContext, VectorStoreIndex
        from llama_index.core.node_parser import SentenceSplitter

        documents = [
            Document(text=path.read_text("utf-8", "replace"), metadata={"source": path.name})
            for path in sorted(folder.rglob("*.md"))
        ]
        nodes = SentenceSplitter(chunk_size=256, chunk_overlap=40).get_nodes_from_documents(documents)
        context = StorageContext.from_defaults(vector_store=self._store)
        index = VectorStoreIndex(nodes, storage_context=context, embed_model=self._embedding)
        self._retriever = index.as_retriever(similarity_top_k=PASSAGES)
        return len(nodes)

    def search(self, question: str) -> int:
        return len(self._retriever.retrieve(question))

    def answer(self, question: str) -> Iterator[str]:
        found = self._retriever.retrieve(question)
        yield from self.generate(make_prompt(question, [item.get_content() for item in found]))

    def generate(self, prompt: str) -> Iterator[str]:
        yield from stream_transformers(self._model, self._tokenizer, prompt)


class LlamaCpp:
    """llama.cpp with the file as it is shipped: the language model alone."""

    def __init__(self, work: dict[str, Any]) -> None:
        from llama_cpp import Llama

        self._model = Llama(
            work["gguf"], n_ctx=8192, n_threads=work["threads"], flash_attn=True, verbose=False
        )
        self._lock = threading.Lock()

    def generate(self, prompt: str) -> Iterator[str]:
        # Its Python interface answers one at a time; its server does the same with one slot.
        with self._lock:
            for piece in self._model.create_chat_completion(
                [{"role": "user", "content": prompt}],
                max_tokens=ANSWER_TOKENS,
                temperature=0.0,
                repeat_penalty=1.0,
                stream=True,
            ):
                yield piece["choices"][0]["delta"].get("content") or ""


SYSTEMS: dict[str, Callable[[dict[str, Any]], System]] = {
    "ours": Ours,
    "LangChain": LangChain,
    "LlamaIndex": LlamaIndex,
}
WRITERS: dict[str, Callable[[dict[str, Any]], Writer]] = {"llama.cpp": LlamaCpp}


def make_prompt(question: str, passages: list[str]) -> str:
    """The prompt of the tutorials."""
    context = "\n\n".join(passages)
    return (
        "Use the following pieces of retrieved context to answer the question. If you don't know the answer, "
        f"just say that you don't know.\nContext: {context}\nQuestion: {question}\nAnswer:"
    )


def load_transformers(folder: str) -> tuple[Any, Any]:
    """The language model as the tutorials load it: in the type it is stored in."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    return AutoModelForCausalLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)


def stream_transformers(model: Any, tokenizer: Any, prompt: str) -> Iterator[str]:  # noqa: ANN401
    """Greedy words of a model of transformers."""
    from transformers import TextIteratorStreamer

    inputs = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    streamer = TextIteratorStreamer(tokenizer, skip_prompt=True)
    options = {**inputs, "max_new_tokens": ANSWER_TOKENS, "do_sample": False, "streamer": streamer}
    thread = threading.Thread(target=model.generate, kwargs=options)
    thread.start()
    yield from streamer
    thread.join()


def main() -> None:
    """Measure one system and print what was found."""
    name, work = sys.argv[1], json.loads(Path(sys.argv[2]).read_text())
    figures: dict[str, Any] = {}
    started = time.perf_counter()
    system = SYSTEMS[name](work) if name in SYSTEMS else None
    writer = system or WRITERS[name](work)
    figures["start_s"] = time.perf_counter() - started
    if system is not None:
        started = time.perf_counter()
        figures["chunks"] = system.ingest(Path(work["folder"]))
        figures["ingest_s"] = time.perf_counter() - started
        if not work["ingest_only"]:
            figures |= measure_questions(system, work["questions"])
    if not work["ingest_only"]:
        figures |= measure_model(writer, work)
    figures["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print("RESULT " + json.dumps(figures), flush=True)


def measure_questions(system: System, questions: list[str]) -> dict[str, float]:
    """Medians over the questions, each asked once after a warm-up."""
    system.search(WARM_UP_QUESTION)
    list(system.answer(WARM_UP_QUESTION))
    searches, firsts, lasts = [], [], []
    for question in questions:
        started = time.perf_counter()
        system.search(question)
        searches.append(time.perf_counter() - started)
        first, last, _ = time_words(system.answer(question))
        firsts.append(first)
        lasts.append(last)
    names = ("search_ms", "first_word_s", "last_word_s")
    values = (1e3 * statistics.median(searches), statistics.median(firsts), statistics.median(lasts))
    return dict(zip(names, values, strict=True))


def measure_model(writer: Writer, work: dict[str, Any]) -> dict[str, float]:
    """The language model alone on the same prompts: one after the other, and many at once."""
    list(writer.generate(WARM_UP_QUESTION))
    times = [time_words(writer.generate(prompt)) for prompt in work["prompts"][:4]]
    figures = {
        "model_first_token_s": statistics.median(first for first, _, _ in times),
        "model_last_token_s": statistics.median(last for _, last, _ in times),
    }
    for users in work["users"]:
        prompts = [work["prompts"][place % len(work["prompts"])] for place in range(users)]
        # Another beginning for every number of users: nothing may be known of an earlier round.
        prompts = [f"({users}.{place}) {prompt}" for place, prompt in enumerate(prompts)]
        started = time.perf_counter()
        with ThreadPoolExecutor(users) as pool:
            texts = list(pool.map(lambda prompt: "".join(writer.generate(prompt)), prompts))
        seconds = time.perf_counter() - started
        figures[f"characters_per_s_{users}"] = sum(map(len, texts)) / seconds
        figures[f"wall_s_{users}"] = seconds
    return figures


def time_words(words: Iterator[str]) -> tuple[float, float, str]:
    """Seconds to the first and to the last word, and the text."""
    started = time.perf_counter()
    first, text = 0.0, ""
    for piece in words:
        if piece and not text:
            first = time.perf_counter() - started
        text += piece
    return first, time.perf_counter() - started, text


if __name__ == "__main__":
    main()
