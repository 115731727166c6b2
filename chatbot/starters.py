"""First questions for a corpus that names none of its own, drawn from its documents' headings."""

from __future__ import annotations

from collections.abc import Iterable

from chatbot.sentences import find_content_words

MOST_STARTERS = 4
LONGEST_HEADING_CHARACTERS = 70


def draw_questions(places: Iterable[tuple[str, tuple[str, ...]]]) -> tuple[str, ...]:
    """At most four questions, of different documents; headings that are questions come first.

    :param places: document title and heading path of chunks, in reading order.
    """
    asked: dict[str, str] = {}
    made: dict[str, str] = {}
    for title, headings in places:
        heading = headings[-1].strip() if headings else ""
        if not heading or heading == title or len(heading) > LONGEST_HEADING_CHARACTERS:
            continue
        if heading.endswith("?"):
            asked.setdefault(title, heading)
        elif find_content_words(heading):
            made.setdefault(title, f"What does “{title}” say about “{heading}”?")
    drawn = [*asked.values(), *(question for title, question in made.items() if title not in asked)]
    return tuple(dict.fromkeys(drawn))[:MOST_STARTERS]
