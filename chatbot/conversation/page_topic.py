"""What the page is about that a question is asked on, so that "How do I cancel this?" finds its document."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from chatbot.sentences import find_words
from chatbot.types import Message

LONGEST_TOPIC_CHARACTERS = 120
ACKNOWLEDGEMENT = "I see."
"""What stands between a page's topic and a question, for models that want every other message."""
_SEPARATOR = re.compile(r"\s+[|–—·»:-]\s+|\s*[|»]\s*")
_FILE_ENDING = re.compile(r"\.(html?|php|aspx?|jsp|md)$", re.IGNORECASE)
_PLAIN_NAMES = frozenset("index home default page start en de fr es ar zh".split())


def find_page_topic(title: str, address: str) -> str:
    """The topic of a page in a few words; empty where neither its title nor its address tells.

    Titles name the site too ("Season tickets | Marrowick Ferries"): the part is taken that shares most
    words with the path of the address, else the first.
    """
    path = _read_path(address)
    parts = [" ".join(part.split()) for part in _SEPARATOR.split(title) if find_words(part)]
    if not parts:
        return path[:LONGEST_TOPIC_CHARACTERS]
    words = set(find_words(path))
    topic = max(parts, key=lambda part: len(words.intersection(find_words(part))))
    return topic[:LONGEST_TOPIC_CHARACTERS]


def lead_with_page(topic: str) -> Sequence[Message]:
    """Messages that tell what a page is about, to stand before what is asked on it."""
    return (Message("user", topic), Message("assistant", ACKNOWLEDGEMENT)) if topic else ()


def _read_path(address: str) -> str:
    """The words of the last part of an address that says anything."""
    try:
        segments = unquote(urlsplit(address).path).split("/")
    except ValueError:
        return ""
    for segment in reversed(segments):
        words = re.sub(r"[-_+\s]+", " ", _FILE_ENDING.sub("", segment)).strip()
        if find_words(words) and words.lower() not in _PLAIN_NAMES and not words.isdigit():
            return words
    return ""
