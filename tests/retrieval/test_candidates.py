"""Searches that filters narrow, over a real library and index."""

import numpy as np
import pytest

from chatbot.retrieval import candidates
from chatbot.retrieval.candidates import CANDIDATES
from chatbot.types import NO_FILTERS, SearchFilters
from tests.bench import CORPUS

NOTES = {
    "ferry.md": "---\ndate: 2024-05-01\n---\n# Ferry\n\nThe ferry leaves at noon from the north quay.\n",
    "people/leave.md": "---\ndate: 2023-01-01\n---\n# Leave\n\nAnnual leave is 27 days, ferry days too.\n",
    "people/sick.txt": "Sick leave has no limit. Leave the annual report at the quay.\n",
    "people/draft.md": "# Draft\n\nThe ferry may leave at one. This is a draft of the annual leave rules.\n",
}


@pytest.fixture
def notes(bench):
    for path, text in NOTES.items():
        bench.write(path, text)
    bench.ingest()
    return bench


@pytest.fixture(params=[True, False], ids=["compared one by one", "asked of the index"])
def many(request, bench, monkeypatch):
    """A library in which 300 chunks match better than the two in the folder "mine"."""
    if not request.param:
        monkeypatch.setattr(candidates, "MOST_COMPARED", 0)
    sections = [f"## Part {number}\n\nThe ferry leaves at noon.\n" for number in range(300)]
    bench.write("other.md", "# Other\n\n" + "\n".join(sections))
    bench.write("mine/a.txt", "Some words about one ferry among many other words of no use.\n")
    bench.write("mine/b.txt", "Nothing that was asked stands here.\n")
    bench.ingest()
    return bench


def list_paths(bench, question="When does the ferry leave?", *, limit=10, **filters) -> list[str]:
    result = bench.search_with_trace(question, limit=limit, filters=SearchFilters(**filters))
    return [passage.path for passage in result.passages]


@pytest.mark.parametrize(
    ("filters", "paths"),
    [
        ({"files": ("leave.md",)}, {"people/leave.md"}),
        ({"folders": ("people",), "formats": ("md",)}, {"people/leave.md", "people/draft.md"}),
        ({"after": "2024-05-01"}, {"ferry.md"}),
        ({"before": "2024-05-01"}, {"people/leave.md"}),
        ({"languages": ("en",)}, set(NOTES)),
        ({"languages": ("de",)}, set()),
    ],
)
def test_only_documents_that_match_are_found(notes, filters, paths):
    assert set(list_paths(notes, **filters)) == paths


def test_documents_are_found_that_no_search_without_filters_reaches(many):
    assert "mine/b.txt" not in list_paths(many, "ferry at noon", limit=100)
    assert list_paths(many, "ferry at noon", folders=("mine",)) == ["mine/a.txt", "mine/b.txt"]


def test_filters_that_let_everything_through_change_no_passage(many):
    plain = many.search_with_trace("ferry at noon", limit=9)
    narrowed = many.search_with_trace("ferry at noon", limit=9, filters=SearchFilters(files=("*",)))

    assert [passage.chunk for passage in narrowed.passages] == [passage.chunk for passage in plain.passages]
    for one, other in zip(narrowed.passages, plain.passages, strict=True):
        assert one.similarity == pytest.approx(other.similarity, abs=1e-4)


def test_as_many_candidates_are_proposed_as_without_filters(many):
    trace = many.search_with_trace("ferry at noon", filters=SearchFilters(formats=("md",))).trace

    assert sum(hit.vector_rank is not None for hit in trace.hits) == CANDIDATES


def test_similarities_are_those_of_question_and_chunk(many):
    result = many.search_with_trace("ferry at noon", filters=SearchFilters(folders=("mine",)))
    vector = many.embedder.embed_query("ferry at noon")

    for hit in result.trace.hits:
        [own] = many.library.chunks.find_vectors([hit.chunk_id], many.embedder.fingerprint).values()
        assert hit.similarity == pytest.approx(float(np.dot(own, vector)), abs=1e-4)


def test_the_trace_counts_the_documents_and_keeps_the_filters(notes):
    filters = SearchFilters(folders=("people",))

    narrowed = notes.search_with_trace("ferry", filters=filters).trace
    plain = notes.search_with_trace("ferry").trace

    assert (narrowed.documents, narrowed.documents_total, narrowed.filters) == (3, 4, filters)
    assert (plain.documents, plain.documents_total, plain.filters) == (4, 4, NO_FILTERS)


def test_where_no_document_matches_nothing_is_found_and_a_note_says_why(notes):
    filters = SearchFilters(files=("x.md",), formats=("pdf",), excluded=("draft",))

    result = notes.search_with_trace("ferry", filters=filters)

    assert result.passages == ()
    assert result.trace.notes == ("No document matches: file x.md, type pdf.",)


def test_one_chosen_document_may_fill_the_list(bench):
    sections = [f"## Part {number}\n\nThe ferry leaves at {number}.\n" for number in range(8)]
    bench.write("a.md", "# All\n\n" + "\n".join(sections))
    bench.write("b.md", "# Other\n\nThe ferry is blue.\n")
    bench.ingest()

    assert list_paths(bench, limit=6, files=("a.md",)) == ["a.md"] * 6


# Exact words


def test_a_phrase_must_stand_word_for_word(notes):
    assert set(list_paths(notes, "annual leave", phrases=("annual leave",))) == {
        "people/leave.md",
        "people/draft.md",
    }
    assert list_paths(notes, "ferry", phrases=("Annual  LEAVE", "27 days")) == ["people/leave.md"]


def test_a_phrase_is_found_that_no_other_way_proposes(many):
    many.write("far.md", "Zebras graze in the quiet valley behind the mill.\n")
    many.ingest()

    assert list_paths(many, "ferry at noon", phrases=("behind the mill",)) == ["far.md"]


def test_a_phrase_that_nothing_holds_is_searched_by_its_words_and_a_note_says_so(notes):
    result = notes.search_with_trace("annual quay", filters=SearchFilters(phrases=("annual quay",)))

    assert result.passages
    assert result.trace.notes == (
        "No passage holds “annual quay” word for word; its words were searched instead.",
    )


def test_other_phrases_still_count_when_one_is_held_nowhere(notes):
    filters = SearchFilters(phrases=("north quay", "south quay"))
    result = notes.search_with_trace("quay", filters=filters)

    assert [passage.path for passage in result.passages] == ["ferry.md"]
    assert result.trace.notes == (
        "No passage holds “south quay” word for word; its words were searched instead.",
    )


def test_phrases_that_stand_apart_only_are_searched_by_their_words(notes):
    result = notes.search_with_trace("quay", filters=SearchFilters(phrases=("north quay", "sick leave")))

    assert len(result.passages) == len(NOTES)
    assert result.trace.notes == (
        "No passage holds “north quay” and “sick leave” together; their words were searched instead.",
    )


@pytest.mark.parametrize("phrase", ['" OR "', "NEAR(a b)", "*", "text : x", "_ _", "\x00", "漢字 🏳️‍🌈"])
def test_no_phrase_is_anything_but_words(notes, phrase):
    result = notes.search_with_trace("ferry", filters=SearchFilters(phrases=(phrase,)))

    assert result.passages
    assert len(result.trace.notes) == 1


def test_a_passage_with_an_excluded_word_is_left_out_and_listed_with_the_reason(notes):
    result = notes.search_with_trace("ferry leave", filters=SearchFilters(excluded=("Draft",)))

    assert "people/draft.md" not in {passage.path for passage in result.passages}
    [hit] = [hit for hit in result.trace.hits if hit.path == "people/draft.md"]
    assert (hit.number, hit.dropped) == (None, "holds “Draft”, which was excluded")
    assert hit.vector_rank is not None


def test_excluded_words_are_whole_words(notes):
    assert "ferry.md" in list_paths(notes, excluded=("north qua",))
    assert "ferry.md" not in list_paths(notes, excluded=("north quay",))


def test_what_excluded_words_take_away_is_filled_up_with_others(many):
    paths = list_paths(many, "ferry at noon", limit=10, excluded=("noon",))

    assert paths == ["mine/a.txt", "mine/b.txt"]


# Filters without a question


def test_filters_alone_give_the_beginning_of_the_document(bench):
    sections = [f"## Part {number}\n\nThe ferry leaves at {number}.\n" for number in range(8)]
    bench.write("a.md", "# All\n\n" + "\n".join(sections))
    bench.ingest()

    result = bench.search_with_trace("", limit=4, filters=SearchFilters(files=("a.md",)))

    assert [passage.chunk.ordinal for passage in result.passages] == [0, 1, 2, 3]
    assert [passage.number for passage in result.passages] == [1, 2, 3, 4]
    assert result.trace.documents == 1


def test_filters_alone_give_the_beginning_of_every_document_by_path(notes):
    assert list_paths(notes, "", folders=("people",)) == [
        "people/draft.md",
        "people/leave.md",
        "people/sick.txt",
    ]
    assert list_paths(notes, " ", limit=1, folders=("people",)) == ["people/draft.md"]
    assert list_paths(notes, "", excluded=("draft", "quay")) == ["people/leave.md"]


# What the library has to choose from


def test_the_library_lists_what_its_documents_can_be_chosen_by(notes):
    notes.write("broken.pdf", b"no pdf")
    notes.ingest()

    choices = notes.library.list_filter_choices(CORPUS)

    assert (choices.formats, choices.folders, choices.languages) == (("md", "txt"), ("people",), ("en",))
    assert (choices.earliest, choices.latest) == ("2023-01-01", "2024-05-01")


def test_a_file_that_could_not_be_read_matches_no_filter(notes):
    notes.write("broken.pdf", b"no pdf")
    notes.ingest()

    assert notes.library.match_documents(CORPUS, SearchFilters(formats=("pdf",))) == []
    assert notes.library.match_documents(CORPUS, NO_FILTERS) is None
    assert notes.library.count_documents(CORPUS) == 4
