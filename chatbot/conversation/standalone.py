"""A question as it should be searched: self-corrections resolved, a follow-up made to stand alone.

Rules over words, for English, and no language model; what no rule speaks of is left word for word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from chatbot.conversation.noun_phrases import (
    AUXILIARIES,
    QUESTION_WORDS,
    REQUESTS,
    find_noun_phrases,
    find_nouns,
    is_name,
    is_noun,
)
from chatbot.conversation.repairs import resolve_self_correction
from chatbot.sentences import find_words, split_sentences, stem_word
from chatbot.types import Message

LOOK_BACK_MESSAGES = 8
"""So many earlier messages a follow-up may lean on."""
SHORT_ANSWER_WORDS = 8
"""An answer of at most this many words names something ("Ada Reed."); a longer one is not carried on."""
CARRIED_WORDS = 25
"""An earlier question of at most this many words is carried on whole, of a longer one its topic."""
FEW_NOUNS = 2
"""A phrase, or a question that opens with "and", says too little alone with at most this many nouns."""
TELLING_NOUNS = 4
"""With so many nouns, "this" and "those" stand before words that say enough."""

_OPENING = re.compile(
    r"^(?:(?:and|but|or|so|also|then|ok|okay|well|what about|how about|what of"
    r"|(?:(?:no|oh|sorry)\W+)*i meant?)\b[\s,]*)+",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|this|that|these|those)\b|\bthen(?=\W*$)",
    re.IGNORECASE,
)
_DEMONSTRATIVES = frozenset(("this", "that", "these", "those", "then"))
_CLAUSE_END = re.compile(r", | (?:and|because|before|after|if|that|when|while) ", re.IGNORECASE)
_TIMES = frozenset("year quarter month week weekend day morning afternoon evening season time".split())
"""What "this" stands before without pointing to anything that was said: "this year"."""
_POSSESSIVES = frozenset(("its", "their", "his"))
_EMPTY_IT = re.compile(
    r"\b(?:is|was|isn't) it (?:true|possible|necessary|worth|ok|okay|allowed)\b|\bit (?:seems|takes)\b"
    r"|\bit is (?:true|possible|necessary|allowed)\b|\b(?:does|did|will|can) it (?:take|rain|snow|matter)\b"
    r"|\bit (?:costs?|means?|become)\b(?=.* (?:if|to|when|that)\b)|\b(?:is|was) it (?:\w+ )?(?:to|for|that)\b"
    r"|\bto it that\b|\bit been since\b|\bit (?:rain|snow)(?:s|ed)\b",
    re.IGNORECASE,
)
"""Where "it" stands for nothing: Quirk et al., A Comprehensive Grammar of the English Language, 6.17."""
_NAMES_NOTHING = frozenset(("yes", "no", "i", "sorry"))
"""Openings of answers without a name: "No.", "I could not find that."."""
SMALL_TALK = frozenset(
    "thanks thank you very much hello hi hey good great nice ok okay bye goodbye cheers".split()
)
"""Words that alone ask nothing."""
_PREPOSITIONS = frozenset("at in on to for from by with without under over during before after".split())
_DEFINITION = re.compile(
    r"\W*(?:what|who) (?:is|are|was|were|does) (?:an? )?[\w-]+(?: mean)?\W*", re.IGNORECASE
)
_NAME = re.compile(r"(?<=[^.!?] )(?:the )?(?-i:[A-Z][\w'’-]*(?: [A-Z0-9][\w'’-]*)*)")


def make_standalone(question: str, history: Sequence[Message]) -> str:
    """The question as it should be searched.

    What the speaker took back is taken out. A follow-up gets what it lacks: the name that its pronoun stands
    for, the topic, or the last question with its answer if that is short. A question that stands alone is
    returned word for word.
    """
    earlier = answer = ""
    for message in history[-LOOK_BACK_MESSAGES:]:
        if message.role == "user" and find_words(message.content):
            earlier, answer = _complete(resolve_self_correction(message.content), earlier, answer), ""
        elif message.role == "assistant":
            answer = message.content.strip()
    return _complete(resolve_self_correction(question), earlier, answer)


def is_follow_up(question: str, earlier: str) -> bool:
    """Whether the question cannot be understood without the `earlier` one."""
    return _is_fragment(question) or _find_pronoun(question) is not None or _names_no_topic(question, earlier)


def _complete(question: str, earlier: str, answer: str) -> str:
    """The question with what it lacks of the `earlier` one, which stands alone, and of its answer."""
    words = find_words(question)
    if not find_words(earlier) or SMALL_TALK.issuperset(words) or not is_follow_up(question, earlier):
        return question
    words = find_words(answer)
    if not 0 < len(words) <= SHORT_ANSWER_WORDS or words[0] in _NAMES_NOTHING:
        answer = ""
    if _is_fragment(question):
        return _swap_phrase(question, earlier) or _put_after(earlier, answer, question)
    pronoun = _find_pronoun(question)
    if pronoun is None:
        return _lead_with_topic(earlier, answer, question)
    phrases = find_noun_phrases(earlier)
    candidates = [phrase for phrase in phrases if is_name(phrase, earlier)] or phrases
    if len(candidates) == 1 and not answer and pronoun[0].lower() not in _DEMONSTRATIVES:
        return _replace_pronoun(question, pronoun, candidates[0])
    return _put_after(earlier, answer, question)


def _is_fragment(question: str) -> bool:
    """Whether it is a phrase that the last question has to complete: "And on Sundays?", "Why?"."""
    rest = _OPENING.sub("", question.strip(), count=1)
    words = find_words(rest)
    if words and words[0] in QUESTION_WORDS | AUXILIARIES | REQUESTS:
        return len(words) <= 2
    if rest != question.strip():
        return len(find_nouns(rest)) <= 3
    return len(find_nouns(rest)) <= FEW_NOUNS and len(words) <= 6


def _names_no_topic(question: str, earlier: str) -> bool:
    """Whether it does not say what it is about: "How do I apply?", "I am new here. What is the fee?".

    One noun without "the" is enough, as in "Who pays for travel?".
    """
    rest = _OPENING.sub("", question.strip(), count=1)
    if _DEFINITION.fullmatch(rest) or any(is_name(phrase, rest) for phrase in find_noun_phrases(rest)):
        return False
    start, end = split_sentences(rest)[-1]
    asked = set(find_nouns(rest[start:end]))
    if asked & set(find_nouns(earlier)):
        return False
    if rest != question.strip():
        return not asked or len(find_nouns(rest)) <= FEW_NOUNS
    phrases = find_noun_phrases(rest)
    is_definite = len(find_nouns(rest)) == 1 and len(phrases) == 1 and phrases[0].lower().startswith("the ")
    return not asked or is_definite


def _find_pronoun(question: str) -> re.Match[str] | None:
    """The first word that points back to what was said before, if any.

    "It" in "is it true" stands for nothing, "IT" for a department.
    """
    empty = [match.span() for match in _EMPTY_IT.finditer(question)]
    for pronoun in _PRONOUN.finditer(question):
        before, after = question[: pronoun.start()], question[pronoun.end() :]
        if pronoun[0] == "IT" or any(start <= pronoun.start() < end for start, end in empty):
            continue
        if pronoun[0].lower() in _DEMONSTRATIVES:
            if _points_back(pronoun[0].lower(), before, after):
                return pronoun
        elif not _is_named_before(before, is_possessive=_is_possessive(pronoun, after)):
            return pronoun
    return None


def _is_named_before(before: str, *, is_possessive: bool) -> bool:
    """Whether a pronoun stands for a noun before it, as in "Who should staff ring when they are ill?"."""
    first_clause = _CLAUSE_END.split(before)[0]
    return bool(
        len(find_nouns(before)) > FEW_NOUNS
        or (find_nouns(before) and is_possessive)
        or (first_clause != before and find_nouns(first_clause))
    )


def _is_possessive(pronoun: re.Match[str], after: str) -> bool:
    following = find_words(after)[:1]
    return pronoun[0].lower() in _POSSESSIVES or (
        pronoun[0].lower() == "her" and bool(following) and is_noun(following[0])
    )


def _points_back(demonstrative: str, before: str, after: str) -> bool:
    """Whether "this" or "that" is neither a conjunction nor before a noun that says enough itself."""
    following = find_words(after)[:1]
    if demonstrative == "then" or not following:
        return True
    if following[0] in _TIMES:
        return False
    if is_noun(following[0]):
        nouns = len(find_nouns(f"{before} {after}"))
        enough = 2 if demonstrative == "that" else TELLING_NOUNS
        return nouns < enough and not after.lstrip()[:1].isupper()
    return not find_nouns(before) and (demonstrative != "that" or following[0] in AUXILIARIES)


def _swap_phrase(question: str, earlier: str) -> str | None:
    """The earlier question with the fragment in the place of its counterpart, if there is one.

    "And for dogs?" after "What is the fare for bicycles?" is "What is the fare for dogs?".
    """
    rest = _OPENING.sub("", question.strip(), count=1).rstrip("?!. ")
    words = find_words(rest)
    if len(find_noun_phrases(rest)) != 1 or not QUESTION_WORDS.isdisjoint(words):
        return None
    if words[0] in _PREPOSITIONS:
        place = _find_after_preposition(words[0], earlier)
    elif rest == question.strip().rstrip("?!. "):
        return None
    else:
        place = _find_counterpart(rest, words, earlier)
    if place is None:
        return None
    after = earlier[place[1] :]
    return earlier[: place[0]] + rest + (after.removeprefix("/") if rest.endswith("/") else after)


def _find_after_preposition(preposition: str, earlier: str) -> tuple[int, int] | None:
    """Where the earlier question has the same preposition before a noun phrase, or within one."""
    end = 0
    for phrase in find_noun_phrases(earlier):
        start = earlier.index(phrase, end)
        found = re.search(rf"\b{preposition} (?:an? )?$", earlier[end:start], re.IGNORECASE)
        if found:
            return end + found.start(), start + len(phrase)
        found = re.search(rf"\b{preposition} ", phrase, re.IGNORECASE)
        end = start + len(phrase)
        if found:
            return start + found.start(), end
    return None


def _find_counterpart(rest: str, words: Sequence[str], earlier: str) -> tuple[int, int] | None:
    """Where the earlier question has a phrase with the same last noun, else with "a" or a name as well."""
    phrases = find_noun_phrases(earlier)
    alike = [phrase for phrase in phrases if stem_word(find_words(phrase)[-1]) == stem_word(words[-1])]
    found = None
    if alike:
        found = re.search(rf"(?<!\w){re.escape(alike[0])}(?!\w)", earlier)
    elif words[0] in ("a", "an") and phrases:
        found = re.search(rf"\ban? (?:{'|'.join(map(re.escape, phrases))})(?!\w)", earlier)
    elif is_name(rest, ""):
        found = _NAME.search(earlier)
    return found.span() if found else None


def _put_after(earlier: str, answer: str, question: str) -> str:
    carried = earlier if len(find_words(earlier)) <= CARRIED_WORDS else _choose_topic(earlier)
    return " ".join([*(_end_sentence(part.strip()) for part in (carried, answer) if part), question.strip()])


def _end_sentence(text: str) -> str:
    if text[-1] in ".?!":
        return text
    return text + ("?" if find_words(text)[0] in QUESTION_WORDS | AUXILIARIES else ".")


def _lead_with_topic(earlier: str, answer: str, question: str) -> str:
    topic = ", ".join(part for part in (_choose_topic(earlier), answer.rstrip(".")) if part)
    rest = _OPENING.sub("", question.strip(), count=1)
    return f"{topic[0].upper()}{topic[1:]}: {rest}" if topic else _put_after(earlier, answer, question)


def _choose_topic(text: str) -> str:
    """The first noun phrase with a name, else the longest one, without "the"; empty where there is none."""
    phrases = [phrase.removeprefix("the ") for phrase in find_noun_phrases(text)]
    names = [phrase for phrase in phrases if is_name(phrase, text)]
    return next(iter(names), max(phrases, key=lambda phrase: len(phrase.split()), default=""))


def _replace_pronoun(question: str, pronoun: re.Match[str], phrase: str) -> str:
    if _is_possessive(pronoun, question[pronoun.end() :]):
        phrase += "'" if phrase.endswith("s") else "'s"
    replaced = question[: pronoun.start()] + phrase + question[pronoun.end() :]
    return replaced[0].upper() + replaced[1:] if pronoun.start() == 0 else replaced
