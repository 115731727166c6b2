"""The nouns of the product, one module for each part of it; import them from here.

Everything here is plain frozen data but the two Protocols of `models.py`.
"""

from chatbot.types.answers import (
    Chat,
    ChatTurn,
    Citation,
    Explanation,
    FinishedAnswer,
    PromptPlan,
    Rating,
    Timings,
)
from chatbot.types.documents import (
    Block,
    BlockKind,
    Chunk,
    Corpus,
    Document,
    DocumentRecord,
    NumberedStart,
    ParsedDocument,
    SheetRows,
    SheetStart,
    Span,
)
from chatbot.types.ingests import (
    FileOutcome,
    FileResult,
    IngestProgress,
    IngestReport,
)
from chatbot.types.models import (
    Embedder,
    Generator,
    Message,
    PassageVectors,
    Role,
    StopReason,
    Vectors,
)
from chatbot.types.search import (
    NO_FILTERS,
    Correction,
    FilterChoices,
    Passage,
    Place,
    SearchFilters,
    SearchHit,
    SearchResult,
    SearchTrace,
)
from chatbot.types.states import (
    PartState,
    PartStatus,
    ServiceStatus,
)

__all__ = [
    "NO_FILTERS",
    "Block",
    "BlockKind",
    "Chat",
    "ChatTurn",
    "Chunk",
    "Citation",
    "Corpus",
    "Correction",
    "Document",
    "DocumentRecord",
    "Embedder",
    "Explanation",
    "FileOutcome",
    "FileResult",
    "FilterChoices",
    "FinishedAnswer",
    "Generator",
    "IngestProgress",
    "IngestReport",
    "Message",
    "NumberedStart",
    "ParsedDocument",
    "PartState",
    "PartStatus",
    "Passage",
    "PassageVectors",
    "Place",
    "PromptPlan",
    "Rating",
    "Role",
    "SearchFilters",
    "SearchHit",
    "SearchResult",
    "SearchTrace",
    "ServiceStatus",
    "SheetRows",
    "SheetStart",
    "Span",
    "StopReason",
    "Timings",
    "Vectors",
]
