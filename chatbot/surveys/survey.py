"""Questions about the corpus as a whole, such as "Which documents mention dogs?", told from ordinary ones.

A handful of passages cannot answer them. A question counts as one only if every word of it can be read:
how it begins, what it asks for, and each of its limits. Whatever is left over makes it an ordinary one.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import Literal

from chatbot.filters import read_language
from chatbot.languages import LANGUAGES
from chatbot.sentences import STOP_WORDS, find_content_words, find_words
from chatbot.surveys.periods import Period, read_period, take_last_period
from chatbot.types import NO_FILTERS, SearchFilters

SurveyKind = Literal["count_documents", "list_documents", "list_items", "count_pages"]


@dataclass(frozen=True, slots=True)
class Survey:
    """A question about the corpus as a whole.

    `topic` are the words that documents or items must hold; it is empty where only the register is
    asked. With `about`, documents that are near in meaning count too. `filters` are the limits that the
    question names: a period, a folder, formats.
    """

    kind: SurveyKind
    topic: str = ""
    about: bool = False
    filters: SearchFilters = NO_FILTERS


MOST_TOPIC_WORDS = 6
"""A topic of more content words is a description; no chunk can be expected to hold them all."""
MOST_NAMED_WORDS = 3
"""A follow-up of at most so many words, such as "and cats?", names another topic."""
FORMATS = {
    "pdf": ("pdf",),
    "word": ("docx", "doc"),
    "docx": ("docx",),
    "powerpoint": ("pptx", "ppt"),
    "excel": ("xlsx", "xlsm", "xls"),
    "csv": ("csv",),
    "markdown": ("md",),
    "md": ("md",),
    "html": ("html",),
    "text": ("txt",),
    "txt": ("txt",),
}
"""What people call a format, and the endings of its files."""

_PRONOUNS = frozenset({"it", "this", "that", "these", "those", "them"})
_QUESTION_WORDS = frozenset(
    "who what when where which why how is are was were do does did can could may must should will".split()
)

# The words of the grammar. Whatever they are put into is matched without regard to case.

_POLITE = (
    r"(?:please|kindly|so|hi|hello|(?:can|could|would|will) (?:you|i)(?: please)?|tell me"
    r"|i (?:want|need|would like) to know|i'd like to know|do you know)\b[ ,:]*"
)
_LIST = (
    r"(?:list|name|enumerate|display|show(?: me)?|give(?: me)?|find(?: me)?|get(?: me)?)"
    r"(?: (?:a|the)(?: complete| full)? (?:list|names|titles) of)?"
)
_ALL = r"(?: (?:all|every|each)(?: of)?)?(?: (?:the|your|our|my))?(?: available)?"
_FORMAT = rf"(?P<format>{'|'.join(FORMATS)})"
_FILES = rf"(?:(?:{_FORMAT}[ -])?(?:documents?|files?|docs?)|(?P<pdfs>pdfs?))"
_PAPERS = (
    r"(?:policies|guides|manuals|minutes|reports|procedures|papers|handbooks|contracts|letters|guidelines"
    r"|memos|articles|pages|notes|texts|chapters|sections)"
)
_LIBRARY = (
    r"(?:the|this|these|your|my|our|any|all)(?: of (?:the|your|my|our))?"
    r" (?:documents?|files?|library|corpus|collection|knowledge base|handbook|documentation)"
)
_MENTION = (
    r"(?:(?:that|which) )?(?:also )?(?:mention(?:s|ing)?|talk(?:s|ing)? about|refer(?:s|ring)? to"
    r"|speak(?:s|ing)? (?:of|about)|discuss(?:es|ing)?|cover(?:s|ing)?|deal(?:s|ing)? with|contain(?:s|ing)?"
    r"|say(?:s|ing)? (?:something|anything) about|use(?:s|ing)? the (?:word|term|phrase))"
)
_ABOUT = (
    r"(?:(?:that|which) )?(?:(?:are|is) |(?:have|has|contains?) (?:anything |something |information ))?"
    r"(?:about|regarding|concerning|related to|relating to|on the (?:topic|subject) of)|on|for|in"
)
_MENTIONED = r"(?:mentioned|discussed|referred to|talked about)"
_MENTIONS = r"(?:mentions?|occurrences?|references?|passages?|places|sentences?|paragraphs?)"


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{pattern})(?!\w)", re.IGNORECASE)


# How a question about documents begins, and whether it must say more; its limits follow.
_HEADS: tuple[tuple[SurveyKind, bool, re.Pattern[str]], ...] = (
    (
        "count_documents",
        False,
        _compile(rf"(?:how many|(?:what(?:'s| is) )?(?:the )?(?:total )?number of|count){_ALL} {_FILES}"),
    ),
    ("list_documents", False, _compile(rf"(?:{_LIST}|(?:what|which) are){_ALL} {_FILES}")),
    ("list_documents", True, _compile(rf"(?:which|what)(?: of)?{_ALL}(?: kinds? of)? {_FILES}")),
    (
        "list_documents",
        True,
        _compile(rf"(?:do (?:you|we) have|are there|(?:do|does))(?: any(?: of{_ALL})?| some) {_FILES}"),
    ),
    ("count_documents", True, _compile(rf"how many{_ALL} {_PAPERS}(?= {_MENTION} )")),
    ("list_documents", True, _compile(rf"(?:which|what|{_LIST}){_ALL} {_PAPERS}(?= {_MENTION} )")),
)
# Questions that are read as a whole.
_WHOLES: tuple[tuple[SurveyKind, re.Pattern[str]], ...] = (
    (
        "list_documents",
        _compile(
            rf"(?:where|(?:in|on) (?:which|what)(?: of)?{_ALL} (?:{_FILES}|{_PAPERS}|places?)) (?:is|are)"
            rf" (?P<topic>.+?) {_MENTIONED}(?: in {_LIBRARY})?"
        ),
    ),
    (
        "list_documents",
        _compile(
            rf"(?:is|are) (?P<topic>.+?) {_MENTIONED} (?:anywhere(?: in {_LIBRARY})?|in {_LIBRARY})"
            rf"|where (?:do|does) {_LIBRARY} {_MENTION} (?P<mentioned>.+)"
        ),
    ),
    (
        "list_items",
        _compile(
            rf"{_LIST}{_ALL} {_MENTIONS} (?:of|to|about|{_MENTION}|(?:where|in which)(?=.+ {_MENTIONED}))"
            rf" (?P<topic>.+?)(?: (?:is|are) {_MENTIONED})?(?: in {_LIBRARY})?"
        ),
    ),
    (
        "list_items",
        _compile(rf"how (?:often|many times) (?:is|are) (?P<topic>.+?) {_MENTIONED}(?: in {_LIBRARY})?"),
    ),
    (
        "count_pages",
        _compile(
            r"how many pages (?:(?:does|do|has|have)|(?:long )?(?:is|are)(?: there)?(?: in)?) (?P<topic>.+?)"
            r"(?: (?:document|file|pdf))?(?: (?:have|contain|comprise|got))?"
        ),
    ),
    (
        "list_items",
        _compile(
            rf"(?:{_LIST} (?:all|every|each)|what are all|(?:give|show)(?: me)? a(?: complete| full)? list)"
            rf"(?: of)?(?: the| your| our| my)? (?P<topic>.+?)(?: {_MENTIONED})?(?: (?:in|from) {_LIBRARY})?"
            r"|(?:which|what) (?!types?|kinds?|sorts?)(?P<existing>[\w-]+(?: [\w-]+)?) are there"
            rf"(?: in {_LIBRARY})?"
        ),
    ),
)

_EXISTS = _compile(
    r"(?:do|have|can) (?:you|we|i) (?:have(?: access to)?|got|read|indexed|know(?: of| about)?|search|see)"
    r"|(?:that )?(?:you|we) (?:have|know(?: of)?|can (?:read|search))"
    rf"|(?:does|do) {_LIBRARY} (?:have|hold|contain)|(?:are )?in (?:{_LIBRARY}|total|all)"
    r"|are (?:there|available|here|loaded|indexed)|exist|altogether|there are"
)
_FOLDER = re.compile(
    r"(?:(?:(?:that|which) )?are )?(?:stored |kept )?(?:in|under|inside|from|of) (?:"
    r"(?:the )?(?:folder|directory) (?P<after>[\w./-]+)|(?:the )?(?P<before>[\w./-]+) (?:folder|directory)"
    r"|(?P<path>[\w.-]+(?:/[\w.-]+)*/+))(?!\S)",
    re.IGNORECASE,
)
_LANGUAGE = _compile(
    rf"(?:(?:(?:that|which) )?(?:are|is) )?(?:written )?in (?P<language>{'|'.join(LANGUAGES.values())})"
)
_IN_FORMAT = _compile(
    rf"(?:(?:(?:that|which) )?(?:are|is) (?:in |an? )?|in |as |of (?:the )?type )(?:{_FORMAT}|(?P<pdfs>pdfs))"
    r"(?: (?:format|files?|documents?))?"
)
_TO_TOPIC = re.compile(rf"(?:(?P<mention>{_MENTION})|{_ABOUT}) (?P<topic>.+)", re.IGNORECASE)
_TOPIC_OPENING = re.compile(
    r"(?:(?:the|a|an|any) )?(?:(?:words?|terms?|phrases?|names?|topics?|subjects?)(?: of)? )?", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"(?<=[?!])\s+|(?<=\w{3}\.)\s+|\n+")
_CONTINUES = re.compile(
    r"^(?:(?:and|but|or|so|also|only|just|now|then|what about|how about|(?:the|those|which) ones)\b[ ,]*)+",
    re.IGNORECASE,
)
_QUOTES = "\"'“”‘’«»"


def recognize_survey(question: str) -> Survey | None:
    """What a question asks of the corpus as a whole; None for an ordinary question.

    Of several sentences the last one counts. One that only says more about a survey before it, as a
    follow-up does in "Which documents mention dogs? From 2023?", changes that survey.
    """
    sentences = [_strip_sentence(part) for part in _SENTENCE_END.split(question.strip())]
    survey = _read_sentence(sentences[-1]) if sentences else None
    if len(sentences) > 1 and survey is None:
        earlier = next(filter(None, map(_read_sentence, reversed(sentences[:-1]))), None)
        return None if earlier is None else _amend_survey(earlier, sentences[-1])
    if survey is None or survey.topic.lower() not in _PRONOUNS:
        return survey
    meant = [word for word in find_words(" ".join(sentences[-2:-1])) if word not in STOP_WORDS]
    return _set_topic(survey, " ".join(meant))


def _strip_sentence(sentence: str) -> str:
    """A sentence on one line without its courtesies and its last sign."""
    plain = " ".join(sentence.split()).rstrip(" ?!.…")
    plain = re.sub(rf"^(?:{_POLITE})+", "", plain, flags=re.IGNORECASE)
    return re.sub(r",? (?:please|thanks|thank you)$", "", plain, flags=re.IGNORECASE)


def _read_sentence(sentence: str) -> Survey | None:
    for kind, must_say_more, head in _HEADS:
        if match := head.match(sentence):
            rest = sentence[match.end() :].strip(" ,:")
            if must_say_more and not rest:
                return None
            return _read_limits(_limit_documents(Survey(kind), match), rest)
    for kind, whole in _WHOLES:
        if match := whole.fullmatch(sentence):
            topics = [value for value in match.groupdict().values() if value]
            return _set_topic(Survey(kind), topics[-1])
    return None


def _read_limits(survey: Survey, text: str) -> Survey | None:
    """The survey with all the limits that a text consists of; None where there is anything else."""
    while text:
        if match := _EXISTS.match(text):
            rest = text[match.end() :]
        elif limited := _read_limit(survey, text):
            survey, rest = limited
        elif match := _TO_TOPIC.fullmatch(text):
            return _set_topic(replace(survey, about=match["mention"] is None), match["topic"])
        else:
            return None
        text = re.sub(r"^(?:[ ,]|and\b|but\b)+", "", rest)
    return survey


def _read_limit(survey: Survey, text: str) -> tuple[Survey, str] | None:
    """The survey with the limit that a text begins with, and the rest of the text."""
    if dated := read_period(text):
        return _limit_period(survey, dated[0]), dated[1]
    for pattern in (_FOLDER, _LANGUAGE, _IN_FORMAT):
        if match := pattern.match(text):
            return _limit_documents(survey, match), text[match.end() :]
    return None


def _set_topic(survey: Survey, text: str) -> Survey | None:
    """The survey with a topic, and the folder or period behind it as a limit; None for what is no topic."""
    survey, topic = _take_last_limit(*_take_last_limit(survey, text.strip(" ,")))
    topic = _TOPIC_OPENING.sub("", topic.strip(" ,"), count=1).strip(f" ,{_QUOTES}")
    words = find_words(topic)
    if topic.lower() in _PRONOUNS:
        return replace(survey, topic=topic)
    if not words or words[-1] in STOP_WORDS or len(find_content_words(topic)) > MOST_TOPIC_WORDS:
        return None
    return replace(survey, topic=topic)


def _take_last_limit(survey: Survey, topic: str) -> tuple[Survey, str]:
    """The survey with the period or folder that a topic ends with as a limit, and the topic without it."""
    for match in _FOLDER.finditer(topic):
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
                filters = replace(filters, formats=FORMATS.get(value.lower(), ("pdf",)))
    return replace(survey, filters=filters)


def _amend_survey(survey: Survey, text: str) -> Survey | None:
    """A survey with the limits of a follow-up, or for the topic that it names."""
    text = _CONTINUES.sub("", text)
    if limits := _read_limits(Survey(survey.kind), text) or _read_limits(Survey(survey.kind), f"are {text}"):
        changed = {name: value for name, value in asdict(limits.filters).items() if value}
        amended = replace(survey, filters=replace(survey.filters, **changed))
        return replace(amended, topic=limits.topic, about=limits.about) if limits.topic else amended
    words = find_words(text)
    is_name = 0 < len(words) <= MOST_NAMED_WORDS and words[0] not in _QUESTION_WORDS
    return _set_topic(survey, text) if survey.topic and is_name else None
