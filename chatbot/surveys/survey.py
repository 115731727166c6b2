"""Questions about the corpus as a whole, such as "Which documents mention dogs?", told from ordinary ones.

A handful of passages cannot answer them. A question counts as one only if every word of it can be read:
how it begins, what it asks for, and each of its limits. Whatever is left over makes it an ordinary one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Literal

from chatbot.filters import read_language
from chatbot.sentences import STOP_WORDS, find_content_words, find_words
from chatbot.surveys import grammar
from chatbot.surveys.periods import Period, read_period, take_last_period
from chatbot.surveys.relative_times import name_dates
from chatbot.types import NO_FILTERS, SearchFilters

SurveyKind = Literal[
    "count_documents",
    "list_documents",
    "list_members",
    "list_items",
    "count_pages",
    "list_groups",
    "outline_document",
]
Order = Literal["", "newest", "oldest"]
Grouping = Literal["", "language", "folder", "format"]


@dataclass(frozen=True, slots=True)
class Survey:
    """A question about the corpus as a whole, or about one document of it.

    `topic` are the words that documents or items must hold, or where it `is_negated` must not; it is empty
    where only the register is asked, and names the document to outline where one is. With `about`, documents
    that are near in meaning count too. `named` are words of a document's title or path. `filters` are the
    limits that the question names: a period, a folder, formats. With an `order`, documents are put in that of
    their dates, and the first `most` are wanted, all where it is None. `grouping` says what documents are to
    be counted by.
    """

    kind: SurveyKind
    topic: str = ""
    about: bool = False
    filters: SearchFilters = NO_FILTERS
    named: str = ""
    is_negated: bool = False
    order: Order = ""
    most: int | None = None
    grouping: Grouping = ""


MOST_TOPIC_WORDS = 6
"""A topic of more content words is a description; no chunk can be expected to hold them all."""
MOST_NAMED_WORDS = 3
"""A follow-up of at most so many words, such as "and cats?", names another topic."""
SEVERAL = 5
"""So many documents are meant by "the newest documents"."""

_PRONOUNS = frozenset({"it", "this", "that", "these", "those", "them"})
_QUESTION_WORDS = frozenset(
    "who what when where which why how is are was were do does did can could may must should will".split()
)


def recognize_survey(question: str, today: date | None = None) -> Survey | None:
    """What a question asks of the corpus as a whole; None for an ordinary question.

    Of several sentences the last one counts. One that only says more about a survey before it, as a
    follow-up does in "Which documents mention dogs? From 2023?", changes that survey.

    :param today: what "this year" and "since March" are counted from; the day it is, where None.
    """
    question = name_dates(question.strip(), today or date.today())
    sentences = [_strip_sentence(part) for part in grammar.SENTENCE_END.split(question)]
    survey = _read_sentence(sentences[-1]) if sentences else None
    if len(sentences) > 1 and (survey is None or survey.kind == "outline_document"):
        earlier = next(filter(None, map(_read_sentence, reversed(sentences[:-1]))), None)
        return survey if earlier is None else _amend_survey(earlier, sentences[-1])
    if survey is None or survey.topic.lower() not in _PRONOUNS:
        return survey
    meant = [word for word in find_words(" ".join(sentences[-2:-1])) if word not in STOP_WORDS]
    return _set_topic(survey, " ".join(meant))


def _strip_sentence(sentence: str) -> str:
    """A sentence on one line without its courtesies and its last sign."""
    plain = " ".join(sentence.split()).rstrip(" ?!.…")
    plain = re.sub(rf"^(?:{grammar.POLITE})+", "", plain, flags=re.IGNORECASE)
    return re.sub(r",? (?:please|thanks|thank you)$", "", plain, flags=re.IGNORECASE)


def _read_sentence(sentence: str) -> Survey | None:
    """The first survey that a sentence can be read as."""
    readings = (_read_register, _read_order, _read_documents, _read_whole, _read_outline)
    return next((survey for read in readings if (survey := read(sentence))), None)


def _read_register(sentence: str) -> Survey | None:
    """What is asked of the list of documents alone."""
    for whole in grammar.GROUP_WHOLES:
        if match := whole.fullmatch(sentence):
            grouping: Grouping = (
                "language" if match["language"] else "folder" if match["folder"] else "format"
            )
            return Survey("list_groups", grouping=grouping)
    is_overview = any(whole.fullmatch(sentence) for whole in grammar.OVERVIEW_WHOLES)
    return Survey("list_documents") if is_overview else None


def _read_order(sentence: str) -> Survey | None:
    """A question for the newest or the oldest documents, or for what changed in a time."""
    for head in grammar.ORDER_HEADS:
        if match := head.match(sentence):
            order: Order = "newest" if match["newest"] else "oldest"
            begun = _limit_documents(Survey("list_documents", order=order, most=_read_number(match)), match)
            survey = _read_limits(begun, sentence[match.end() :].strip(" ,:"))
            return None if survey and survey.named and survey.topic else survey
    if match := grammar.WHAT_CHANGED.match(sentence):
        if match.end() == len(sentence):
            return Survey("list_documents", order="newest", most=SEVERAL)
        dated = read_period(sentence[match.end() :].strip())
        if dated and not dated[1]:
            return _limit_period(Survey("list_documents", order="newest"), dated[0])
    return None


def _read_number(match: re.Match[str]) -> int:
    """How many documents a question asks for by a number, or by a word in the singular or the plural."""
    groups = match.groupdict()
    number = groups.get("number") or groups.get("later_number")
    if number:
        return max(1, int(number)) if number.isdigit() else grammar.NUMBERS[number.lower()]
    words = find_words(match[0])
    is_plural = not grammar.SEVERAL_DOCUMENTS.isdisjoint(words) and not {"is", "was", "has"} & set(words)
    return SEVERAL if is_plural else 1


def _read_documents(sentence: str) -> Survey | None:
    """A question that begins with documents and goes on with limits of which."""
    for kind, must_say_more, head in _list_heads():
        if match := head.match(sentence):
            rest = sentence[match.end() :].strip(" ,:")
            if must_say_more and not rest:
                continue
            if survey := _read_limits(_limit_documents(Survey(kind), match), rest):
                return None if survey.named and survey.topic and survey.about else survey
    return None


def _list_heads() -> Iterator[tuple[SurveyKind, bool, re.Pattern[str]]]:
    yield from (("count_documents", *head) for head in grammar.COUNT_HEADS)
    yield from (("list_documents", *head) for head in grammar.LIST_HEADS)


def _read_whole(sentence: str) -> Survey | None:
    """A question that is one pattern around its topic."""
    for kind, whole in _list_wholes():
        if match := whole.fullmatch(sentence):
            topics = [value for value in match.groupdict().values() if value]
            return _set_topic(Survey(kind), topics[-1])
    return None


def _read_outline(sentence: str) -> Survey | None:
    """A question for what a document says as a whole; whether words name a document is known only there."""
    for whole in grammar.OUTLINE_WHOLES:
        if match := whole.fullmatch(sentence):
            topic = match["document"].strip(f" ,{grammar.QUOTES}")
            is_name = bool(find_words(topic)) and topic.lower() not in _PRONOUNS
            is_short = len(find_content_words(topic)) <= MOST_TOPIC_WORDS
            return Survey("outline_document", topic) if is_name and is_short else None
    return None


def _list_wholes() -> Iterator[tuple[SurveyKind, re.Pattern[str]]]:
    yield from (("list_documents", whole) for whole in grammar.MENTION_WHOLES)
    yield from (("list_items", whole) for whole in grammar.ITEM_WHOLES)
    yield "count_pages", grammar.PAGE_WHOLE
    yield "list_members", grammar.LIST_WHOLE


def _read_limits(survey: Survey, text: str) -> Survey | None:
    """The survey with all the limits that a text consists of; None where there is anything else."""
    while text:
        if match := grammar.EXISTS.match(text):
            rest = text[match.end() :]
        elif limited := _read_limit(survey, text):
            survey, rest = limited
        elif match := grammar.TO_TOPIC.fullmatch(text):
            return _read_topic(survey, match)
        else:
            return None
        text = re.sub(r"^(?:[ ,]|and\b|but\b)+", "", rest)
    return survey


def _read_limit(survey: Survey, text: str) -> tuple[Survey, str] | None:
    """The survey with the limit that a text begins with, and the rest of the text."""
    if dated := read_period(text):
        return _limit_period(survey, dated[0]), dated[1]
    for pattern in (grammar.FOLDER, grammar.LANGUAGE, grammar.IN_FORMAT):
        if match := pattern.match(text):
            return _limit_documents(survey, match), text[match.end() :]
    if (match := grammar.BY_DATE.match(text)) and survey.kind == "list_documents":
        return replace(survey, order="oldest" if match["oldest"] else "newest"), text[match.end() :]
    return None


def _read_topic(survey: Survey, match: re.Match[str]) -> Survey | None:
    """The survey with the topic that its last limit names."""
    if match["neither"]:
        return _set_topic(replace(survey, is_negated=True), f"{match['neither']} or {match['nor']}")
    is_negated = bool(match["without"])
    survey = replace(survey, is_negated=is_negated, about=not is_negated and match["mention"] is None)
    return _set_topic(survey, match["topic"])


def _set_topic(survey: Survey, text: str) -> Survey | None:
    """The survey with a topic, and the folder or period behind it as a limit; None for what is no topic."""
    survey, topic = _take_last_limit(*_take_last_limit(survey, text.strip(" ,")))
    topic = grammar.TOPIC_OPENING.sub("", topic.strip(" ,"), count=1).strip(f" ,{grammar.QUOTES}")
    words = find_words(topic)
    if topic.lower() in _PRONOUNS:
        return replace(survey, topic=topic)
    if not words or words[-1] in STOP_WORDS or len(find_content_words(topic)) > MOST_TOPIC_WORDS:
        return None
    return replace(survey, topic=topic)


def _take_last_limit(survey: Survey, topic: str) -> tuple[Survey, str]:
    """The survey with the period or folder that a topic ends with as a limit, and the topic without it."""
    for match in grammar.FOLDER.finditer(topic):
        if match.end() == len(topic):
            return _limit_documents(survey, match), topic[: match.start()].strip(" ,")
    topic, period = take_last_period(topic)
    return (_limit_period(survey, period) if period else survey), topic.strip(" ,")


def _limit_period(survey: Survey, period: Period) -> Survey:
    after, before = (None if day is None else day.isoformat() for day in (period.after, period.before))
    return replace(survey, filters=replace(survey.filters, after=after, before=before))


def _limit_documents(survey: Survey, match: re.Match[str]) -> Survey:
    """The survey with the folder, language or format that a match names, if it does."""
    found = {name: value for name, value in match.groupdict().items() if value}
    filters = survey.filters
    for name, value in found.items():
        match name:
            case "after" | "before" | "path":
                filters = replace(filters, folders=(value.strip("/"),))
            case "language":
                filters = replace(filters, languages=(read_language(value),))
            case "format" | "pdfs":
                filters = replace(filters, formats=grammar.FORMATS.get(value.lower(), ("pdf",)))
            case "named":
                survey = replace(survey, named=value.lower())
    return replace(survey, filters=filters)


def _amend_survey(survey: Survey, text: str) -> Survey | None:
    """A survey with the limits of a follow-up, or for the topic that it names."""
    text = grammar.CONTINUES.sub("", text)
    if limits := _read_limits(Survey(survey.kind), text) or _read_limits(Survey(survey.kind), f"are {text}"):
        changed = {name: value for name, value in asdict(limits.filters).items() if value}
        amended = replace(survey, filters=replace(survey.filters, **changed))
        return replace(amended, topic=limits.topic, about=limits.about) if limits.topic else amended
    words = find_words(text)
    is_name = 0 < len(words) <= MOST_NAMED_WORDS and words[0] not in _QUESTION_WORDS
    return _set_topic(survey, text) if survey.topic and is_name else None
