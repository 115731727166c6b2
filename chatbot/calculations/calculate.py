"""Answers a question by computing it from a table of the corpus: read this first.

The tables are looked for by the question's words, typed when they are asked (their documents keep every
cell), and bound to the question word by word. Whatever is not understood to its last word is an ordinary
question.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock

from chatbot.calculations.binding import Plan, bind_request
from chatbot.calculations.computing import Outcome, compute_plan
from chatbot.calculations.questions import read_request
from chatbot.calculations.tables import Table, TableRow, read_tables
from chatbot.calculations.vocabulary import TableVocabulary, read_vocabulary
from chatbot.filters import select_documents
from chatbot.library import Library
from chatbot.retrieval.choosing import make_hit, make_passage
from chatbot.retrieval.copies import cite_copies
from chatbot.retrieval.ranking import Match
from chatbot.types import Chunk, Passage, SearchFilters, SearchTrace

MOST_CHUNKS, MOST_DOCUMENTS = 300, 12
"""Tables are looked for in the documents of so many chunks that share words with the question."""
MOST_TABLES = 3
"""Where more tables answer a question equally well, it is not clear which is meant."""
MOST_ROWS_SHOWN = 20
_KEPT_DOCUMENTS = 2 * MOST_DOCUMENTS
"""Those of one question all stay, beside those of another."""

TypedTables = list[tuple[Table, TableVocabulary]]


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row to quote, and the passage that it stands in."""

    row: TableRow
    passage: Passage


@dataclass(frozen=True, slots=True)
class Calculation:
    """What came out for one table, and the rows of it to show."""

    outcome: Outcome
    shown: tuple[ShownRow, ...]


@dataclass(frozen=True, slots=True)
class Calculations:
    """The answers of each table that answers a question equally well."""

    results: tuple[Calculation, ...]
    passages: tuple[Passage, ...]
    trace: SearchTrace

    @property
    def found(self) -> bool:
        """Whether any table had rows for the question."""
        return any(result.outcome.rows for result in self.results)


class Calculator:
    """Computes answers from the tables of a library; keeps the tables that it read last."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._tables: dict[tuple[str, str], TypedTables] = {}
        self._lock = Lock()

    def calculate(self, question: str, *, corpus: str, filters: SearchFilters) -> Calculations | None:
        """What a question asks to compute; None for an ordinary question.

        :param question: as it stands alone.
        """
        request = read_request(question)
        if request is None or filters.phrases or filters.excluded:
            return None
        plans = [
            plan
            for table, vocabulary in self._list_tables(question, corpus, filters)
            if (plan := bind_request(request, table, vocabulary))
        ]
        chosen = choose_plans(plans)
        return self._make_calculations(question, corpus, filters, chosen) if chosen else None

    def _list_tables(self, question: str, corpus: str, filters: SearchFilters) -> TypedTables:
        """The tables of the documents that share most words with the question."""
        within = self._library.match_documents(corpus, filters)
        hits = self._library.words.search_words(corpus, question, limit=MOST_CHUNKS, documents=within)
        chunks = {
            chunk.id: chunk for chunk in self._library.chunks.read_chunks([chunk_id for chunk_id, _ in hits])
        }
        documents = dict.fromkeys(
            chunks[chunk_id].document_id
            for chunk_id, _ in hits
            if chunk_id in chunks and holds_rows(chunks[chunk_id])
        )
        return [item for key in list(documents)[:MOST_DOCUMENTS] for item in self._read_tables(key)]

    def _read_tables(self, document_id: str) -> TypedTables:
        document = self._library.find_document(document_id)
        if document is None:
            return []
        key = (document_id, document.record.sha256)
        with self._lock:
            tables = self._tables.get(key)
        if tables is None:
            tables = [(table, read_vocabulary(table)) for table in read_tables(document)]
        with self._lock:
            self._tables.pop(key, None)
            self._tables[key] = tables
            while len(self._tables) > _KEPT_DOCUMENTS:
                self._tables.pop(next(iter(self._tables)))
        return tables

    def _choose_copy(self, plan: Plan, filters: SearchFilters) -> Plan:
        """The plan, for the first copy of its document where the filters let only copies through."""
        table = plan.table
        copies = self._library.list_copies([table.record.id]).get(table.record.id, [])
        record = next(iter(select_documents([table.record, *copies], filters)), table.record)
        return replace(plan, table=replace(table, record=record))

    def _make_calculations(
        self, question: str, corpus: str, filters: SearchFilters, plans: Sequence[Plan]
    ) -> Calculations:
        numbers: dict[str, Passage] = {}
        plans = [self._choose_copy(plan, filters) for plan in plans]
        found = [self._show_rows(compute_plan(plan), corpus, numbers) for plan in plans]
        passages = tuple(cite_copies(list(numbers.values()), filters, self._library))
        cited = {passage.number: passage for passage in passages}
        results = [_replace_passages(result, cited) for result in found]
        records = {plan.table.record.id: plan.table.record for plan in plans}
        trace = SearchTrace(
            question,
            question,
            filters,
            documents=len(records),
            documents_total=self._library.count_documents(corpus),
            hits=tuple(
                make_hit(Match(passage.chunk, records[passage.chunk.document_id]), number=passage.number)
                for passage in passages
            ),
        )
        return Calculations(tuple(results), passages, trace)

    def _show_rows(self, outcome: Outcome, corpus: str, numbers: dict[str, Passage]) -> Calculation:
        """The result with the first of its rows, each in the passage that it lies in."""
        table = outcome.plan.table
        original = self._library.find_original(table.record.id)
        ids = self._library.chunks.list_chunks_of([original], limit=1 << 30)
        chunks = sorted(self._library.chunks.read_chunks(ids), key=lambda chunk: chunk.start)
        shown = []
        for row in (table.rows[number] for number in outcome.rows[:MOST_ROWS_SHOWN]):
            chunk = find_chunk(chunks, row)
            if chunk is None:
                continue
            if chunk.id not in numbers:
                passage = make_passage(Match(chunk, table.record), corpus)
                numbers[chunk.id] = replace(passage, number=len(numbers) + 1)
            shown.append(ShownRow(row, numbers[chunk.id]))
        return Calculation(outcome, tuple(shown))


def _replace_passages(calculation: Calculation, cited: Mapping[int, Passage]) -> Calculation:
    """The result with each of its rows in the passage that is cited under the same number."""
    shown = tuple(replace(row, passage=cited[row.passage.number]) for row in calculation.shown)
    return replace(calculation, shown=shown)


def holds_rows(chunk: Chunk) -> bool:
    """Whether a chunk holds rows of a table, or what comes of them."""
    return " | " in chunk.text or " | " in chunk.context


def find_chunk(chunks: Iterable[Chunk], row: TableRow) -> Chunk | None:
    """The chunk in which a row begins."""
    return next((chunk for chunk in chunks if chunk.start <= row.start < chunk.end), None)


def find_cell(plan: Plan) -> tuple[str, str] | None:
    """The name of the column and the text of the cell that a plan looks up; None for any other plan."""
    if plan.operation != "lookup" or plan.measure is None:
        return None
    return plan.table.names[plan.measure], plan.table.rows[plan.rows[0]].cells[plan.measure]


def choose_plans(plans: Sequence[Plan]) -> list[Plan]:
    """The plans whose tables account for most words, each table once; none where that leaves too many.

    Tables that hold the same in the cell that is looked up are told once too.
    """
    most = max((plan.words_named for plan in plans), default=0)
    best: dict[tuple[object, ...], Plan] = {}
    for plan in plans:
        if plan.words_named == most:
            cells = (plan.table.names, tuple(row.cells for row in plan.table.rows))
            best.setdefault(find_cell(plan) or cells, plan)
    return list(best.values()) if len(best) <= MOST_TABLES else []
