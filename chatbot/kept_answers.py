"""What is kept of answers, in one place for whoever deletes a document: it must hold none of its words."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from chatbot.chats import ChatStore
from chatbot.receipts import ReceiptStore
from chatbot.site_records import SiteRecords
from chatbot.types import DocumentRecord


@dataclass(frozen=True, slots=True)
class KeptAnswers:
    """The stores in which words of documents outlive the question that was asked."""

    chats: ChatStore
    site_records: SiteRecords
    receipts: ReceiptStore

    def drop_document(self, record: DocumentRecord, same: DocumentRecord | None) -> None:
        """Take a document out of chats and ratings, or name `same`, which has its content."""
        self.chats.drop_document(record.id, same)
        self.site_records.drop_document(record.id, same.id if same else None)

    def keep_only(self, corpus: str, present: Collection[str]) -> None:
        """Erase what receipts hold of a corpus's documents other than those of the ids `present`."""
        self.receipts.forget_documents(corpus, present)
