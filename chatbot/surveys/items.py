"""Sentences, list items and table rows that name a topic."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from chatbot.filters import fold_text, holds_words
from chatbot.grounding import list_table_headers
from chatbot.sentences import split_rows_and_sentences
from chatbot.surveys.findings import Finding, Stretch
from chatbot.surveys.scope import SurveyScope, watch_stop
from chatbot.surveys.topics import RELATION, cut_stems, describe_place, find_stems
from chatbot.types import Passage


def list_items(
    passages: Sequence[Passage], topics: Sequence[str], scope: SurveyScope, *, known: Iterable[str] = ()
) -> list[Finding]:
    """The sentences, list items and table rows that name a topic, each text once.

    Those with the topic's words side by side come first.

    :param known: texts that are listed already.
    """
    seen = {fold_text(text) for text in known}
    side_by_side: list[Finding] = []
    others: list[Finding] = []
    for passage in watch_stop(passages, scope):
        for topic in topics:
            for stretch in find_items(passage, topic):
                text = fold_text(passage.text[stretch.start : stretch.end])
                if text in seen:
                    continue
                seen.add(text)
                finding = Finding(scope.records[passage.chunk.document_id], (passage,), stretch)
                (side_by_side if holds_words(text, topic) else others).append(finding)
    return side_by_side + others


def find_items(passage: Passage, topic: str) -> Iterator[Stretch]:
    """The sentences of a passage that name the topic; one of nothing else, "Dogs.", with the next one.

    The words before the topic's first preposition must stand in the sentence itself; for the row of a
    table, in its header or a heading will do. The other words may stand in the title or a heading.
    """
    wanted = find_stems(topic)
    head = find_stems(RELATION.split(topic, maxsplit=1)[0]) or wanted
    place = find_stems(describe_place(passage))
    sentences = split_rows_and_sentences(passage.text)
    headers = list_table_headers(passage, sentences)
    for (start, end), following, header in zip(sentences, [*sentences[1:], None], headers, strict=True):
        text = passage.text[start:end]
        if text == header or text.endswith("?") or text in (passage.title, *passage.chunk.headings):
            continue
        if not header and not _may_hold(text, head):
            continue
        own = find_stems(text)
        named = own | place | find_stems(header) if header else own
        if head <= named and wanted <= named | place:
            last = following[1] if following and own <= wanted else end
            yield Stretch(start, last, header)


def _may_hold(text: str, stems: Collection[str]) -> bool:
    """Whether a text has the beginnings of stems; cutting all its words to stems takes far longer."""
    lowered = text.lower()
    return all(beginning in lowered for beginning in cut_stems(stems))
