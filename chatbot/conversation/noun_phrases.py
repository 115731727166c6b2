"""Which words of an English question are nouns, and the noun phrases that they make: by word lists.

No tagger is asked: a word in no list counts as a noun, which is right often enough to tell what is spoken of.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from chatbot.sentences import STOP_WORDS, find_words, stem_word

# Closed word classes, after Quirk et al., A Comprehensive Grammar of the English Language (1985).
QUESTION_WORDS = frozenset("who whom whose what which when where why how".split())
AUXILIARIES = frozenset(
    """
    am are is was were be been being do does did have has had can could will would shall should may
    might must isn't aren't wasn't weren't don't doesn't didn't haven't hasn't hadn't can't couldn't
    won't wouldn't shouldn't
    """.split()
)
REQUESTS = frozenset("tell explain describe list name give show define compare summarise summarize".split())
FUNCTION_WORDS = (
    STOP_WORDS
    | QUESTION_WORDS
    | AUXILIARIES
    | frozenset(
        """
        across along among around against without within outside inside near next since per via upon like
        toward towards something anything nothing someone anyone everyone else others another ever even
        still yet really actually ago back way one ones
        """.split()
    )
)
# The commonest verbs of questions: they end a noun phrase, as in "does the ferry | leave".
_VERBS = REQUESTS | frozenset(
    """
    get gets got make makes made take takes took taken find found mean means meant call use uses used
    using work works go goes going went gone come comes came leave leaves left start starts begin begins
    began end ends stop stops cost costs pay pays paid apply applies applied need needs want wants know
    known think say says said keep keeps kept put help helps happen happens become became live lives die
    died write wrote written play plays win won eat look provide recommend contain own hold held include
    see seen build built enter affect ask answer feel felt buy bought sell sold read run runs speak talk
    move try tried cause send sent bring brought visit earn earns receive allowed clarify mention mentions
    cover covers describe describes concern concerns name names
    """.split()
)
_VERBS_AND_NOUNS = frozenset(
    "leave pay cost costs work use play need needs start end stop call show help visit run move cover name "
    "names".split()
)
_BEFORE_SUBJECT = frozenset("do does did can could will would shall should may might must".split())
LONGEST_PHRASE_WORDS = 8
"""A run of nouns is cut after about so many words."""

_ARTICLES = ("the", "a", "an")
_BEFORE_NAMES = frozenset("at in to on for from by".split())
_TOKEN = re.compile(r"[^\W_]+(?:[.,:/'’-][^\W_]+)*|\S")


def is_noun(word: str) -> bool:
    """Whether a word is neither a function word nor a common verb."""
    return word[:1].isalnum() and word.lower() not in FUNCTION_WORDS and word.lower() not in _VERBS


def find_nouns(text: str) -> list[str]:
    """The nouns of `text` in order, cut to a common stem."""
    return [stem_word(word) for word in find_words(text) if is_noun(word)]


def find_noun_phrases(text: str) -> list[str]:
    """What `text` speaks of, in order: runs of nouns, each with "the" where it has one.

    A run goes on over "of", and over another preposition before a name: "the ferry to Tolsay".
    """
    tokens = list(_TOKEN.finditer(text))
    words = [token[0] for token in tokens]
    nouns = _mark_nouns(words)
    phrases: list[str] = []
    place = 0
    while place < len(tokens):
        first = place
        if nouns[place]:
            while place - first < LONGEST_PHRASE_WORDS and (
                step := _find_step(words[place + 1 : place + 4], nouns[place + 1 : place + 4])
            ):
                place += step
            if first and words[first - 1].lower() == "the":
                first -= 1
            phrases.append(text[tokens[first].start() : tokens[place].end()])
        place += 1
    return phrases


def _mark_nouns(words: Sequence[str]) -> list[bool]:
    """Which words are nouns where they stand.

    "Leave" is one in "annual leave" but not in "does the ferry leave": a verb that comes after its subject in
    a question has an auxiliary before both. No nouns are "approves" in "who approves" and "cancelled" in
    "is the sailing cancelled".
    """
    marks: list[bool] = []
    has_auxiliary = False
    for before, word in zip(["", *words], words, strict=False):
        has_auxiliary = has_auxiliary or word.lower() in _BEFORE_SUBJECT
        follows_noun = bool(marks) and marks[-1]
        is_verb = before.lower() == "who" and word.endswith("s")
        is_participle = follows_noun and word.islower() and word.endswith("ed")
        is_either = word.lower() in _VERBS_AND_NOUNS and follows_noun and not has_auxiliary
        marks.append(is_either or (is_noun(word) and not is_verb and not is_participle))
    return marks


def _find_step(words: Sequence[str], nouns: Sequence[bool]) -> int:
    """How many words on the next noun of the same phrase stands; 0 where it ends."""
    if not words:
        return 0
    if nouns[0]:
        return 1
    distance = 3 if len(words) > 1 and words[1].lower() in _ARTICLES else 2
    if len(words) < distance or not nouns[distance - 1]:
        return 0
    link, noun = words[0].lower(), words[distance - 1]
    return distance if link == "of" or (link in _BEFORE_NAMES and noun[0].isupper()) else 0


def is_name(phrase: str, text: str) -> bool:
    """Whether a phrase of `text` holds a capital letter that does not only open the text."""
    words = phrase.split()
    return any(word[0].isupper() for word in (words[1:] if text.lstrip().startswith(words[0]) else words))
