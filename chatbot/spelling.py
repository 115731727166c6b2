"""Slips of the pen: words of a question that no document holds, and the documents' words nearest to them.

The corpus's own vocabulary proposes corrections. A candidate is the better the fewer slips lie
between it and what was typed (optimal string alignment: two letters in the wrong order are one slip),
the more documents hold it, and the more of the question's other words stand in one chunk with it: the
noisy channel of Kernighan, Church and Gale ("A spelling correction program based on a noisy channel
model", COLING 1990), with weights in place of probabilities. They are round numbers near the best of
a search over misspelt questions and over questions for other documents; see `docs/log.md`.

A word is left alone where nothing speaks clearly for a candidate, and where it is plain English that
the documents merely lack.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chatbot.sentences import STOP_WORDS
from chatbot.types import Correction

SHORTEST_LETTERS, LONGEST_LETTERS = 3, 30
"""The words of a vocabulary: shorter ones say little, longer ones are no words."""
SHORTEST_CORRECTED, TWO_SLIPS_FROM = 4, 8
"""The fewest letters of a word that is corrected, and of one that may hold two slips."""
FIRST_SLIP, NEXT_SLIP = 2.7, 1.0
"""What slips cost."""
EASY_SLIP = 0.7
"""What a single slip costs less: a neighbouring key, a letter doubled or not, two in the wrong order."""
OTHER_FIRST_LETTER = 0.3
"""What a slip of the first letter costs beside; people rarely make one."""
FULL_COST_LETTERS = 7
"""In a longer word than this slips cost less: fewer other words are as near."""
LONE_GAIN = 1.1
"""What a candidate gains where no other lies as near."""
FREQUENCY_GAIN = 0.13
"""What it gains with each doubling of the documents that hold it."""
ANY_CONTEXT_GAIN, FULL_CONTEXT_GAIN, NO_CONTEXT_GAIN = 0.7, 1.7, 0.8
"""What it gains where one chunk holds it and another word of the question, at most where this is so for
all of them, and where there is no other word."""
MOST_COST = 0.5
"""A candidate that costs more than this after all gains is not taken."""
MOST_CANDIDATES, MOST_CONTEXT_WORDS = 6, 8
"""So many candidates are looked up beside so many words of the question."""
MOST_UNKNOWN, UNKNOWN_SHARE = 2, 0.5
"""A question with more unknown words than this, and more than this share, is in another language."""

_TYPED_WORD = re.compile(r"(?<![\w@./\\#])(?<!\d-)[^\W\d_]+(?![\w@/\\#]|[.:]\w|-\d)")
_WORD = re.compile(r"\b[^\W\d_]+\b")
_ENDINGS = ("s", "es", "d", "ed", "ing", "ly")
_KEY_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_CONTRACTIONS = frozenset(
    """
    arent cant couldnt didnt doesnt dont hadnt hasnt havent hows isnt ive shouldnt thats theres theyre
    wasnt werent whats whens wheres whos whys wont wouldnt youre
    """.split()
)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of a corpus: how many documents hold each, and the words by first letter and length."""

    documents: Mapping[str, int]
    by_beginning: Mapping[tuple[str, int], Sequence[str]]


class WordKnowledge(Protocol):
    """What is known of words beyond the vocabulary."""

    def is_held(self, words: str) -> bool:
        """Whether a document holds a word in any of its forms, or several words in a row."""

    def stand_together(self, word: str, other: str) -> bool:
        """Whether one chunk holds both words."""

    def is_common(self, word: str) -> bool:
        """Whether a word is known to be one, whatever the documents hold."""


def make_vocabulary(documents: Mapping[str, int]) -> Vocabulary:
    """A vocabulary of words with the number of documents that hold each."""
    by_beginning: dict[tuple[str, int], list[str]] = {}
    for word in documents:
        by_beginning.setdefault((word[0], len(word)), []).append(word)
    return Vocabulary(documents, by_beginning)


def list_words(text: str) -> list[str]:
    """The words of a text that a vocabulary holds, in lower case: letters only, no codes or numbers."""
    words = (match[0].lower() for match in _WORD.finditer(text))
    return [word for word in words if SHORTEST_LETTERS <= len(word) <= LONGEST_LETTERS]


def find_unknown_words(question: str, knowledge: WordKnowledge) -> list[re.Match[str]]:
    """The words of a question that may be misspelt: no document holds them, and they are no code,
    abbreviation or very short; none where the question is in another language than the documents.
    """
    matches = [match for match in _TYPED_WORD.finditer(question) if len(match[0]) >= SHORTEST_LETTERS]
    unknown = [match for match in matches if not is_known(match[0].lower(), knowledge)]
    if len(unknown) > MOST_UNKNOWN and len(unknown) > UNKNOWN_SHARE * len(matches):
        return []
    shouts = question.isupper()
    return [
        match
        for match in unknown
        if SHORTEST_CORRECTED <= len(match[0]) <= LONGEST_LETTERS and (shouts or not match[0].isupper())
    ]


def is_known(word: str, knowledge: WordKnowledge) -> bool:
    """Whether a word is one that everybody uses or that a document holds."""
    return word in STOP_WORDS or word in _CONTRACTIONS or knowledge.is_held(word)


def correct_words(
    question: str, unknown: Sequence[re.Match[str]], vocabulary: Vocabulary, knowledge: WordKnowledge
) -> tuple[str, tuple[Correction, ...]]:
    """The question with the documents' words in place of misspelt ones, and what was replaced.

    All other characters stay as they were typed.

    :param unknown: the words to look at, as `find_unknown_words` found them in the question.
    """
    strange = {match[0].lower() for match in unknown}
    context = [
        word
        for word in dict.fromkeys(list_words(question))
        if word in vocabulary.documents and word not in STOP_WORDS and word not in strange
    ][:MOST_CONTEXT_WORDS]
    corrections = []
    corrected, position = "", 0
    for match in unknown:
        replacement = find_replacement(match[0].lower(), context, vocabulary, knowledge)
        if replacement is None:
            continue
        replacement = match_case(match[0], replacement)
        corrections.append(Correction(match[0], replacement))
        corrected += question[position : match.start()] + replacement
        position = match.end()
    return corrected + question[position:], tuple(dict.fromkeys(corrections))


def apply_corrections(text: str, corrections: Sequence[Correction]) -> str:
    """A text with the same words replaced, wherever they stand."""
    replacements = {correction.word: correction.replacement for correction in corrections}
    return _WORD.sub(lambda match: replacements.get(match[0], match[0]), text)


def find_replacement(
    typed: str, context: Sequence[str], vocabulary: Vocabulary, knowledge: WordKnowledge
) -> str | None:
    """What was probably meant by a word in lower case: two words written as one, or the best candidate."""
    if is_common_form(typed, knowledge):
        return None
    if parts := split_joined(typed, vocabulary, knowledge):
        return parts
    candidates = find_candidates(typed, vocabulary)
    ranked = sorted((rate_candidate(typed, word, candidates, vocabulary), word) for word in candidates)
    least, best = MOST_COST, None
    for cost, word in ranked[:MOST_CANDIDATES]:
        if cost - FULL_CONTEXT_GAIN >= least:
            break
        gain = rate_context(word, context, vocabulary, knowledge)
        if gain > 0 and cost - gain < least:
            least, best = cost - gain, word
    return best


def is_common_form(word: str, knowledge: WordKnowledge) -> bool:
    """Whether a word is common, or another form of a common word."""
    stems = (word.removesuffix(ending) for ending in _ENDINGS if word.endswith(ending))
    return knowledge.is_common(word) or any(
        len(stem) >= SHORTEST_CORRECTED and knowledge.is_common(stem) for stem in stems
    )


def split_joined(typed: str, vocabulary: Vocabulary, knowledge: WordKnowledge) -> str | None:
    """The two words that were written as one ("annualleave"), where they stand in a row in a document."""
    places = range(SHORTEST_LETTERS, len(typed) - SHORTEST_LETTERS + 1)
    for parts in ((typed[:place], typed[place:]) for place in places):
        are_words = all(
            part in vocabulary.documents and (len(part) > SHORTEST_LETTERS or knowledge.is_common(part))
            for part in parts
        )
        if are_words and knowledge.is_held(" ".join(parts)):
            return " ".join(parts)
    return None


def find_candidates(typed: str, vocabulary: Vocabulary) -> dict[str, int]:
    """The words of the vocabulary that lie one slip from a word, or two for a longer one, and how many.

    Two slips leave the first letter as it is, so that "insecure" does not become "secure".
    """
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    most = 2 if len(typed) >= TWO_SLIPS_FROM else 1
    alike = [
        vocabulary.by_beginning.get((typed[0], length), ())
        for length in range(len(typed) - most, len(typed) + most + 1)
    ]
    found = {
        word: int(slips)
        for words in alike
        for word, slips, _ in process.extract(
            typed, words, scorer=OSA.distance, score_cutoff=most, limit=None
        )
    }
    return found | dict.fromkeys(find_other_beginnings(typed, vocabulary), 1)


def find_other_beginnings(typed: str, vocabulary: Vocabulary) -> set[str]:
    """The words of the vocabulary that lie one slip from a word and begin with another letter."""
    letters = {letter for letter, _ in vocabulary.by_beginning}
    words = {typed[1:], typed[1] + typed[0] + typed[2:]}
    words |= {letter + rest for letter in letters for rest in (typed, typed[1:])}
    return {word for word in words if word in vocabulary.documents and word[0] != typed[0]}


def rate_candidate(typed: str, word: str, candidates: Mapping[str, int], vocabulary: Vocabulary) -> float:
    """What it costs to take what was typed for a candidate, whatever else the question says.

    :param candidates: all of them, with their slips. A stop word gains nothing by its frequency.
    """
    cost = rate_slips(typed, word, candidates[word])
    if sum(slips <= candidates[word] for slips in candidates.values()) == 1:
        cost -= LONE_GAIN
    if word not in STOP_WORDS:
        cost -= FREQUENCY_GAIN * math.log2(vocabulary.documents[word])
    return cost


def rate_slips(typed: str, word: str, slips: int) -> float:
    """What the slips cost that lead from a word to what was typed."""
    cost = FIRST_SLIP + NEXT_SLIP * (slips - 1)
    if slips == 1 and is_easy_slip(typed, word):
        cost -= EASY_SLIP
    if typed[0] != word[0] and typed[:2] != word[1::-1]:
        cost += OTHER_FIRST_LETTER
    return cost * min(1.0, FULL_COST_LETTERS / len(typed))


def rate_context(
    word: str, context: Sequence[str], vocabulary: Vocabulary, knowledge: WordKnowledge
) -> float:
    """What a candidate gains by the other words that stand with it, the rarer ones the more."""
    most = max((vocabulary.documents[other] for other in context), default=0)
    weights = {other: math.log(2 + most / vocabulary.documents[other]) for other in context if other != word}
    if not weights:
        return NO_CONTEXT_GAIN
    shared = sum(weight for other, weight in weights.items() if knowledge.stand_together(word, other))
    share = shared / sum(weights.values())
    return ANY_CONTEXT_GAIN + (FULL_CONTEXT_GAIN - ANY_CONTEXT_GAIN) * share if shared else 0.0


def is_easy_slip(typed: str, word: str) -> bool:
    """Whether the one slip between two words is one that fingers often make."""
    own, other = _strip_common(typed, word)
    if len(own) == len(other) == 1:
        return other in find_neighbour_keys(own)
    # Two letters each are in the wrong order; one letter too many or too few may be a double one.
    return len(own) == len(other) or 2 * (own or other) in (typed if own else word)


def _strip_common(text: str, other: str) -> tuple[str, str]:
    """Two texts without what they have in common at their beginnings and then at their ends."""
    while text and other and text[0] == other[0]:
        text, other = text[1:], other[1:]
    while text and other and text[-1] == other[-1]:
        text, other = text[:-1], other[:-1]
    return text, other


def find_neighbour_keys(letter: str) -> str:
    """The letters around a letter on a QWERTY keyboard, whose rows are each set a little to the right."""
    for number, row in enumerate(_KEY_ROWS):
        column = row.find(letter)
        if column < 0:
            continue
        above = _KEY_ROWS[number - 1][column : column + 2] if number else ""
        below = _KEY_ROWS[number + 1][max(column - 1, 0) : column + 1] if number < 2 else ""
        return above + row[max(column - 1, 0) : column] + row[column + 1 : column + 2] + below
    return ""


def match_case(typed: str, word: str) -> str:
    """A word in capitals, with a capital or in lower case, as what was typed."""
    if typed.isupper():
        return word.upper()
    return word[0].upper() + word[1:] if typed[0].isupper() else word
