"""What the register alone answers: which documents are the newest, and how many are in which language,
folder or format.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from itertools import takewhile

from chatbot.filters import name_format
from chatbot.languages import LANGUAGES
from chatbot.surveys.survey import Grouping, Order
from chatbot.types import DocumentRecord

NANOSECONDS = 1_000_000_000


def order_documents(
    records: Sequence[DocumentRecord], order: Order, most: int | None
) -> tuple[list[DocumentRecord], bool]:
    """The documents in the order of the dates that they state, and whether file dates were taken instead.

    Those without a date are left out; only where none states one, the days count on which their files were
    last changed. When a file was copied tells little of how old its text is, so the two are never mixed.

    :param most: how many to give, None for all. Of documents of one day none is left out.
    """
    dated = [record for record in records if record.date]
    days = {record.id: record.date or find_file_day(record) for record in dated or records}
    ordered = sorted(dated or records, key=lambda record: record.path)
    ordered.sort(key=lambda record: days[record.id], reverse=order == "newest")
    if most is not None and len(ordered) > most:
        last = days[ordered[most - 1].id]
        ordered = [*ordered[:most], *takewhile(lambda record: days[record.id] == last, ordered[most:])]
    return ordered, bool(records) and not dated


def find_file_day(record: DocumentRecord) -> str:
    """The ISO day on which a document's file was last changed."""
    return date.fromtimestamp(record.modified_ns / NANOSECONDS).isoformat()


def count_groups(records: Sequence[DocumentRecord], grouping: Grouping) -> list[tuple[str, int]]:
    """The languages, folders or formats of documents with how many have each, the most frequent first.

    The name is empty for documents in no folder, or in a language that could not be told.
    """
    counts = Counter(_name_group(record, grouping) for record in records)
    return sorted(counts.items(), key=lambda group: (not group[0], -group[1], group[0]))


def _name_group(record: DocumentRecord, grouping: Grouping) -> str:
    if grouping == "folder":
        return record.path.rpartition("/")[0]
    if grouping == "format":
        return name_format(record.format)
    return LANGUAGES.get(record.language or "", record.language or "")
