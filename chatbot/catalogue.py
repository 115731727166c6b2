"""Which corpora there are, which documents each holds, and where their files lie. Changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from chatbot.corpora import find_documents_folder, list_corpora, resolve_document_file
from chatbot.errors import CorpusError
from chatbot.factories import Reader
from chatbot.library import Library
from chatbot.starters import draw_questions
from chatbot.types import Corpus, Document, DocumentRecord, FilterChoices

STARTER_CHUNKS = 300
"""From so many chunks first questions are drawn."""


class Catalogue:
    """The corpora of a folder, and what the library holds of them.

    :param default_corpus: the corpus that is meant where none is named; the first where this is None.
    """

    def __init__(
        self, library: Library, reader: Reader, corpora_folder: Path, default_corpus: str | None
    ) -> None:
        self._library = library
        self._reader = reader
        self._corpora_folder = corpora_folder
        self._default_corpus = default_corpus

    def list_corpora(self) -> list[Corpus]:
        """Every corpus with its size, the default one first."""
        corpora = list_corpora(self._corpora_folder)
        corpora.sort(key=lambda corpus: (corpus.name != self._default_corpus, corpus.name))
        return [self._count_corpus(corpus) for corpus in corpora]

    def _count_corpus(self, corpus: Corpus) -> Corpus:
        readable = [record for record in self.list_documents(corpus.name) if record.problem is None]
        starters = corpus.starter_questions or draw_questions(
            self._library.chunks.list_places(corpus.name, limit=STARTER_CHUNKS)
        )
        return replace(
            corpus,
            starter_questions=starters,
            documents=len(readable),
            chunks=sum(record.chunks for record in readable),
        )

    def find_corpus(self, name: str | None) -> str:
        """The corpus that is meant: `name`, else the default one.

        :raises CorpusError: when there is no such corpus, or none at all.
        """
        known = [corpus.name for corpus in self.list_corpora()]
        if not known:
            raise CorpusError(
                f"There is no corpus in {self._corpora_folder}.",
                "Make a folder for one: corpora/handbook/documents/, and put documents there.",
            )
        wanted = name or self._default_corpus or known[0]
        if wanted not in known:
            raise CorpusError(f"There is no corpus {wanted!r}.", f"The corpora are: {', '.join(known)}.")
        return wanted

    def list_folders(self) -> dict[str, Path]:
        """The documents folder of every corpus, by its name.

        :raises CorpusError: when the corpora cannot be read.
        """
        return {corpus.name: self.find_folder(corpus.name) for corpus in list_corpora(self._corpora_folder)}

    def find_folder(self, corpus: str) -> Path:
        """The documents folder of a corpus.

        :raises CorpusError: when there is no such corpus.
        """
        return find_documents_folder(self._corpora_folder, corpus)

    def list_documents(self, corpus: str) -> list[DocumentRecord]:
        """The corpus's documents by path, with those that could not be read."""
        return self._library.list_documents(corpus)

    def count_documents(self) -> int:
        """How many documents of all corpora can be searched."""
        return sum(self._library.count_documents(corpus) for corpus in self._library.list_corpora())

    def list_filter_choices(self, corpus: str) -> FilterChoices:
        """What a search of the corpus can be narrowed to, to offer in controls."""
        return self._library.list_filter_choices(corpus)

    def get_document(self, document_id: str) -> Document:
        """A document with its text.

        :raises CorpusError: when it is not in the library.
        """
        document = self._library.find_document(document_id)
        if document is None:
            raise CorpusError("That document is no longer in the library.", "It may have been deleted.")
        return document

    def find_revisions(self, document_ids: Collection[str]) -> Mapping[str, str]:
        """The hashes of documents' files, by document id, of those that are in the library."""
        return self._library.find_revisions(document_ids)

    def document_file(self, document_id: str) -> Path:
        """The original file of a document, inside its corpus folder.

        :raises CorpusError: when the document or its file is gone.
        """
        record = self.get_document(document_id).record
        return resolve_document_file(self.find_folder(record.corpus), record.path)

    def render_page(self, document_id: str, page_number: int, *, highlights: Sequence[str] = ()) -> bytes:
        """A page of a PDF as a PNG picture, with words highlighted.

        :raises CorpusError: when the document is gone.
        :raises DocumentError: when the page cannot be drawn.
        """
        return self._reader.render_page(self.document_file(document_id), page_number, highlights=highlights)
