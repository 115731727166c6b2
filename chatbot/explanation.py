"""Plain words for how passages were found and why a model is asked or not; page and terminal share them."""

from __future__ import annotations

from collections.abc import Sequence

from chatbot.types import Correction

STAGES = {
    "filters": "Choosing documents",
    "correction": "Checking the spelling",
    "embedding": "Making the question's vector",
    "vectors": "Nearest vectors",
    "words": "Shared words",
    "ranking": "Ranking both together",
    "choosing": "Choosing passages",
}
"""What happens in each stage of a search; a stage that is not listed keeps its name."""


_PRESENTATIONS = (".pptx", ".ppt", ".odp")


def name_stage(stage: str) -> str:
    """A stage of a search in plain words."""
    return STAGES.get(stage, stage.capitalize())


def name_rank(rank: int) -> str:
    """`1st`, `2nd`, `13th`."""
    ending = "th" if rank % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(rank % 10, "th")
    return f"{rank}{ending}"


def name_page(path: str, number: int) -> str:
    """`page 3`, `slide 3` where the document's file is a presentation, `cell 3` of a notebook."""
    return f"{name_page_kind(path)} {number}"


def name_page_kind(path: str) -> str:
    """What the pages of a document are called, by its file: `slide`, `cell` or `page`."""
    if path.lower().endswith(".ipynb"):
        return "cell"
    return "slide" if path.lower().endswith(_PRESENTATIONS) else "page"


def describe_place_in_queue(before: int) -> str:
    """How many questions are answered before the reader's."""
    return "1 question is before yours" if before == 1 else f"{before:,} questions are before yours"


def name_rows(sheet: str, first: int, last: int) -> str:
    """`sheet “Costs”, row 12`, `row 12` of a text file's table, `rows 5–9`."""
    rows = f"row {first}" if first == last else f"rows {first}–{last}"
    return f"sheet “{sheet}”, {rows}" if sheet else rows


def describe_correction(word: str, replacement: str) -> str:
    """That a word was taken for another; this has happened already, and nothing is left to choose."""
    return f"Did you mean “{replacement}”? No document holds “{word}”, so “{replacement}” was searched for."


def choose_own_corrections(question: str, corrections: Sequence[Correction]) -> tuple[Correction, ...]:
    """The corrections of words that the question itself holds, rather than an earlier one it leans on."""
    return tuple(correction for correction in corrections if correction.word in question)


def describe_missing_prompt(question: str) -> str:
    """Why there is no prompt for what was asked."""
    if not question.strip():
        return "There is no question beside the filters, so there is no prompt."
    return "No language model is loaded, so there is no prompt."


def describe_decision(
    *, answerable: bool, asks_model: bool, is_survey: bool, best_evidence: float, floor: float
) -> str:
    """Whether a language model would be asked, and why; see `Explanation`."""
    if is_survey:
        return (
            "The language model would not be asked: this question is about the documents as a whole, "
            "or computed from a table of theirs."
        )
    scores = f"the best sentence scores {best_evidence:.2f}, and {floor:.2f} is needed"
    if asks_model:
        return f"The language model would be asked: {scores}."
    if answerable:
        return "The language model would not be asked: the sentence that is quoted says it best."
    if best_evidence < floor:
        return f"The language model would not be asked: {scores}."
    return "The language model would not be asked: the passages do not hold what the question asks for."
