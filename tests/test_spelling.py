import random
import string
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from chatbot.evaluation.misspelling import misspell, misspell_word
from chatbot.library import Library
from chatbot.sentences import STOP_WORDS
from chatbot.spelling import (
    TWO_SLIPS_FROM,
    apply_corrections,
    correct_words,
    find_candidates,
    find_neighbour_keys,
    find_unknown_words,
    list_words,
    make_vocabulary,
)
from chatbot.types import Chunk, Correction, Document, DocumentRecord, PassageVectors, SearchFilters
from tests.bench import CORPUS
from tests.fakes import HashingEmbedder

CHUNKS = (
    "Annual leave is requested from the department manager.",
    "Colleagues carry over five days of annual leave.",
    "Ferries depart: the ferry to Marrowick leaves the northern harbour at noon.",
    "Overtime is paid with the monthly salary.",
    "The maintenance of the harbour is paid by the department.",
)
COMMON = frozenset("annual leave zebra ferry salary form hero".split())


@dataclass(frozen=True)
class Knowledge:
    """Holds what a few chunks hold, word by word as they stand there."""

    chunks: tuple[str, ...] = CHUNKS
    common: frozenset[str] = COMMON
    asked: list[str] = field(default_factory=list)

    def is_held(self, words: str) -> bool:
        self.asked.append(words)
        return any(f" {words} " in f" {' '.join(list_words(chunk))} " for chunk in self.chunks)

    def stand_together(self, word: str, other: str) -> bool:
        return any({word, other} <= set(list_words(chunk)) for chunk in self.chunks)

    def is_common(self, word: str) -> bool:
        return word in self.common

    def correct(self, question: str) -> tuple[str, tuple[Correction, ...]]:
        vocabulary = make_vocabulary(
            Counter(word for chunk in self.chunks for word in set(list_words(chunk)))
        )
        return correct_words(question, find_unknown_words(question, self), vocabulary, self)


def correct(question: str) -> str:
    return Knowledge().correct(question)[0]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Who approves anual leave?", "Who approves annual leave?"),
        (
            "when does the frery to Marrowick depart, at noon",
            "when does the ferry to Marrowick depart, at noon",
        ),
        ("What does the deparment pay?", "What does the department pay?"),
        ("is the maintanence of the harbour paid", "is the maintenance of the harbour paid"),
        ("the monthly slalary", "the monthly salary"),
        ("Marrowik", "Marrowick"),
        ("MARROWIK FERRY", "MARROWICK FERRY"),
        ("annualleave", "annual leave"),
    ],
)
def test_a_slip_is_mended_and_the_rest_stays_as_typed(typed, meant):
    assert correct(typed) == meant


def test_what_was_replaced_is_told():
    _, corrections = Knowledge().correct("Is anual leave paid, and may anual leave be carried over?")

    assert corrections == (Correction("anual", "annual"),)


@pytest.mark.parametrize(
    "question",
    [
        "Does a zebra leave the ferry?",
        "Do zebras leave the ferry?",
        "Is ANUL leave paid?",
        "Is the ferri-4 in the harbour?",
        "Is anual2 leave paid?",
        "mail anual@ferry.org about leave",
        "Is aul leave paid?",
        "dont leave the ferry",
        "Who is Nietzsche?",
        "Wieviel Jahresurlaub bekommen Mitarbeiter im Departement jährlich",
        "",
        "?!",
    ],
)
def test_a_word_that_may_be_meant_is_left_alone(question):
    assert Knowledge().correct(question) == (question, ())


def test_a_word_that_stands_with_no_other_word_of_the_question_is_not_put_in():
    assert correct("Is the hurbour paid?") == "Is the harbour paid?"
    assert correct("Does the hurbour pay a salary?") == "Does the hurbour pay a salary?"


def test_of_two_words_as_near_the_one_that_fits_the_others_is_taken():
    chunks = ("The convection oven heats the kitchen.", "A confection of sugar sweetens the tea.")

    assert Knowledge(chunks).correct("kitchen oven conpection")[0] == "kitchen oven convection"
    assert Knowledge(chunks).correct("sugar tea conpection")[0] == "sugar tea confection"


def test_a_question_without_unknown_words_asks_for_each_word_once_at_most():
    knowledge = Knowledge()

    assert find_unknown_words("annual leave of the department", knowledge) == []
    assert len(knowledge.asked) <= 3


def test_corrections_are_made_in_other_texts_word_by_word():
    corrections = (Correction("anual", "annual"), Correction("Marowick", "Marrowick"))

    assert apply_corrections("anual, manual? (Marowick)", corrections) == "annual, manual? (Marrowick)"


@given(st.text(max_size=60))
def test_no_text_is_changed_but_in_the_words_that_are_told(question):
    corrected, corrections = Knowledge().correct(question)

    assert (corrected == question) == (not corrections)
    for correction in corrections:
        assert correction.word in question
        assert set(list_words(correction.replacement)) <= {
            word for chunk in CHUNKS for word in list_words(chunk)
        }


@given(
    st.integers(0, 10_000), st.sampled_from(["annual", "department", "harbour", "maintenance", "Marrowick"])
)
def test_a_slip_in_a_long_word_never_makes_another_word_of_it(seed, word):
    typed = misspell_word(word, random.Random(seed))
    corrected = correct(f"{typed} harbour department annual")

    assert corrected.split()[0].lower() in (typed.lower(), word.lower())


WORDS = st.text("abc", min_size=3, max_size=10)


@given(st.sets(WORDS, max_size=40), st.text("abc", min_size=4, max_size=10))
def test_candidates_are_all_words_so_near_and_no_others(words, typed):
    most = 2 if len(typed) >= TWO_SLIPS_FROM else 1
    slips = {word: OSA.distance(typed, word) for word in words}

    assert find_candidates(typed, make_vocabulary(dict.fromkeys(words, 1))) == {
        word: count for word, count in slips.items() if count <= 1 or (count <= most and word[0] == typed[0])
    }


@pytest.mark.parametrize(
    ("letter", "keys"), [("g", "fhtyvb"), ("q", "wa"), ("m", "njk"), ("p", "ol"), ("é", "")]
)
def test_neighbours_on_the_keyboard(letter, keys):
    assert set(find_neighbour_keys(letter)) == set(keys)


def test_neighbouring_keys_are_neighbours_of_each_other():
    for letter in string.ascii_lowercase:
        assert all(letter in find_neighbour_keys(other) for other in find_neighbour_keys(letter))


# Misspelling on purpose


@given(st.text(max_size=60), st.integers(0, 5))
def test_one_longer_word_is_misspelt_and_nothing_else(question, seed):
    misspelt, slip = misspell(question, seed)

    assert misspell(question, seed) == (misspelt, slip)
    if slip is None:
        assert misspelt == question
        return
    assert slip.typed.lower() != slip.word.lower()
    assert len(slip.word) > 3
    assert slip.word.lower() not in STOP_WORDS
    assert abs(len(slip.typed) - len(slip.word)) <= 1
    before = next(
        place
        for place in range(len(question))
        if question[:place] + slip.typed + question[place + len(slip.word) :] == misspelt
    )
    assert question[before:].startswith(slip.word)


# The vocabulary of a library


def make_document(corpus: str, name: str, text: str) -> tuple[Document, list[Chunk]]:
    """A document of a chunk a line, each with its name as context."""
    document_id = f"{corpus}/{name}"
    lines = text.splitlines()
    record = DocumentRecord(
        document_id, corpus, name, name, "txt", len(text), 1, "0", None, 0, len(lines), "2025-01-01"
    )
    chunks = [
        Chunk(f"{document_id}/{number}", document_id, number, 0, len(line), line, (), name, None)
        for number, line in enumerate(lines)
    ]
    return Document(record, text, (), ()), chunks


def make_vectors(chunks: int) -> PassageVectors:
    return PassageVectors(np.ones((chunks, 2), np.float32), (np.ones((1, 2), np.float32),) * chunks)


def put(library: Library, corpus: str, name: str, text: str) -> None:
    document, chunks = make_document(corpus, name, text)
    vectors = make_vectors(len(chunks))
    library.replace_document(document, chunks, vectors, recipe="r", fingerprint="f")


def count_again(texts: dict[tuple[str, str], str], corpus: str) -> dict[str, int]:
    """How many of a corpus's documents hold each word, counted from nothing."""
    return dict(
        Counter(
            word
            for (owner, name), text in texts.items()
            if owner == corpus and text.splitlines()
            for word in {*list_words(name), *list_words(text)}
        )
    )


WRITES = st.lists(
    st.tuples(
        st.sampled_from(["notes", "other"]),
        st.sampled_from(["first", "second", "third"]),
        st.none() | st.text("aAbé\n 1-", max_size=30),
    ),
    max_size=12,
)


@given(WRITES)
def test_the_vocabulary_always_equals_a_recount(tmp_path_factory, writes):
    library = Library(tmp_path_factory.mktemp("library") / "library.sqlite3")
    texts: dict[tuple[str, str], str] = {}
    for corpus, name, text in writes:
        if text is None:
            library.delete_document(f"{corpus}/{name}")
            texts.pop((corpus, name), None)
        else:
            put(library, corpus, name, text)
            texts[corpus, name] = text
        for own in ("notes", "other"):
            assert library.words.read_vocabulary(own).documents == count_again(texts, own)
    library.close()


def test_a_library_whose_words_were_never_counted_counts_them_when_it_is_opened(tmp_path):
    path = tmp_path / "library.sqlite3"
    library = Library(path)
    put(library, "notes", "first", "Alpha beta\nbeta gamma")
    put(library, "notes", "second", "beta")
    library._database.write("DELETE FROM vocabulary")
    library.close()

    library = Library(path)

    assert library.words.read_vocabulary("notes").documents == {
        "alpha": 1,
        "beta": 2,
        "gamma": 1,
        "first": 1,
        "second": 1,
    }
    library.close()


def test_a_write_that_fails_leaves_the_vocabulary_as_it_was(tmp_path):
    library = Library(tmp_path / "library.sqlite3")
    put(library, "notes", "first", "Alpha beta")
    document, chunks = make_document("notes", "first", "gamma\ndelta")

    with pytest.raises(ValueError, match="zip"):
        library.replace_document(document, chunks, make_vectors(1), recipe="r", fingerprint="f")

    assert library.words.read_vocabulary("notes").documents == {"alpha": 1, "beta": 1, "first": 1}
    library.close()


def test_words_are_held_in_any_form_and_in_a_row_within_their_corpus(tmp_path):
    library = Library(tmp_path / "library.sqlite3")
    put(library, "notes", "first", "Requests for annual leave\nparking")

    held = ["request", "requested", "annual leave", "leave annual", "parking leave", '"', "", "req*"]
    assert [word for word in held if library.words.holds_words("notes", word)] == [
        "request",
        "requested",
        "annual leave",
    ]
    assert not library.words.holds_words("other", "annual")
    assert library.words.holds_together("notes", "requested", "leave")
    assert not library.words.holds_together("notes", "parking", "leave")
    assert not library.words.holds_together("other", "request", "leave")
    library.close()


# The search


@pytest.fixture
def notes(make_bench):
    bench = make_bench("spelling", embedder=HashingEmbedder(words=frozenset({"zebra"})))
    bench.write("leave.md", "# Leave\n\nThe manager approves annual leave of the department.\n")
    bench.write("ferry.md", "# Ferry\n\nThe ferry to Marrowick departs at noon.\n")
    bench.ingest()
    return bench


def test_a_misspelt_question_finds_what_the_correct_one_finds(notes):
    clean = notes.search_with_trace("When does the ferry to Marrowick depart?")
    misspelt = notes.search_with_trace("When does the ferry to Marowick depart?")

    assert misspelt.passages == clean.passages
    assert misspelt.trace.question == "When does the ferry to Marowick depart?"
    assert misspelt.trace.searched_for == "When does the ferry to Marrowick depart?"
    assert misspelt.trace.corrections == (Correction("Marowick", "Marrowick"),)
    assert clean.trace.corrections == ()
    assert clean.trace.searched_for == clean.trace.question


def test_words_of_an_exact_phrase_are_searched_as_typed(notes):
    trace = notes.search_with_trace("Marowick ferry", filters=SearchFilters(phrases=("Marowick",))).trace

    assert trace.searched_for == "Marowick ferry"


def test_a_deleted_document_s_words_are_proposed_no_more(notes):
    (notes.documents / "ferry.md").unlink()
    notes.ingest()

    assert notes.search_with_trace("Marowick ferry").trace.corrections == ()
    assert "marrowick" not in notes.library.words.read_vocabulary(CORPUS).documents


@pytest.mark.models
def test_the_embedding_model_knows_common_words_whole(minilm):
    known = [
        word
        for word in ("zebra", "Zebra", "annual", "zebrra", "anual", "", "漢字")
        if minilm.knows_word(word)
    ]

    assert known == ["zebra", "Zebra", "annual"]
