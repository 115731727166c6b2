import itertools

import pytest

from chatbot.retrieval.choosing import choose_passages
from chatbot.retrieval.ranking import Match, score_candidate
from chatbot.retrieval.search import DOCUMENT_SHARE, WORDS
from chatbot.types import SearchFilters
from tests.bench import CORPUS

NOTES = {
    "codes.md": "# Codes\n\n## Booking\n\nGW-410 means the gateway timed out.\n\n"
    "## Berths\n\nQX-7 means no berth.\n",
    "leave.md": "# Leave\n\nColleagues may be absent from work for recreation, 27 days a year.\n",
    "ferry.md": "# Ferry\n\nThe boat to the island departs at noon.\n",
    "dogs.md": "# Dogs\n\nAnimals wait outside the café.\n",
}


@pytest.fixture
def notes(bench):
    for path, text in NOTES.items():
        bench.write(path, text)
    bench.ingest()
    return bench


def test_an_exact_code_is_found_by_its_words(notes):
    passage = notes.search("GW-410")[0]

    assert (passage.path, passage.word_rank) == ("codes.md", 1)
    assert "GW-410" in passage.text


def test_passages_are_numbered_from_one_and_say_where_they_stand(notes):
    passages = notes.search("When does the boat depart?")

    assert list(range(1, len(passages) + 1)) == [passage.number for passage in passages]
    assert (passages[0].path, passages[0].title, passages[0].corpus) == ("ferry.md", "Ferry", CORPUS)
    document = notes.library.find_document(passages[0].chunk.document_id)
    assert passages[0].text == document.text[passages[0].chunk.start : passages[0].chunk.end]


def test_a_passage_found_by_words_alone_still_has_its_similarity(notes):
    question = "GW-410"
    vector = notes.embedder.embed_query(question)
    for passage in notes.search(question):
        own = notes.library.chunks.find_vectors([passage.chunk.id], notes.embedder.fingerprint)[
            passage.chunk.id
        ]
        assert float(own @ vector) == pytest.approx(passage.similarity, abs=1e-4)


@pytest.mark.parametrize("question", ["", "   ", "\n\t"])
def test_an_empty_question_finds_nothing(notes, question):
    assert notes.search(question) == []


@pytest.mark.parametrize(
    "question",
    [
        '"',
        "*",
        "(",
        ")",
        "NEAR",
        "gateway NEAR(timed, 1)",
        ":",
        "text: gateway",
        "-",
        "^gateway",
        "AND OR NOT",
        "'; DROP TABLE chunks; --",
        '" OR 1=1 --',
        "café 漢字 🏳️‍🌈",
        "\x00",
        "a" * 2000,
        "%s %d {0} ${x}",
    ],
)
def test_no_question_is_anything_but_words(notes, question):
    passages = notes.search(question)

    assert len(passages) <= 5
    assert len(notes.list_chunks()) == 5


def test_accents_make_no_difference_to_words(notes):
    assert notes.search("CAFE")[0].path == "dogs.md"


def test_no_more_passages_than_asked_for(notes):
    assert [len(notes.search("the", limit=limit)) or limit for limit in (1, 2)] == [1, 2]


def test_no_document_floods_the_list(bench):
    for name in ("a", "b"):
        sections = [f"## Part {number}\n\nThe {name} ferry leaves at {number}.\n" for number in range(8)]
        bench.write(f"{name}.md", f"# {name}\n\n" + "\n".join(sections))
    bench.ingest()

    paths = [passage.path for passage in bench.search("When does the ferry leave?", limit=10)]

    assert {path: paths.count(path) for path in set(paths)} == {
        "a.md": DOCUMENT_SHARE,
        "b.md": DOCUMENT_SHARE,
    }


def test_a_corpus_without_documents_finds_nothing(bench):
    assert bench.search("ferry") == []


def test_the_score_weighs_meaning_and_words():
    both = score_candidate(0.6, 0.6, 1.0)

    assert both > score_candidate(0.6, 0.6, 0.0)
    assert both > score_candidate(0.3, 0.6, 1.0)
    assert both > score_candidate(0.6, 0.3, 1.0)
    assert score_candidate(1.0, 1.0, 1.0) == pytest.approx(1.0)


def test_one_way_of_searching_alone_keeps_its_own_order(notes):
    question = "How many days may colleagues be absent from work?"
    by_words = notes.search_with_trace(question, ways=frozenset({"words"})).trace.hits
    by_vector = notes.search_with_trace(question, ways=frozenset({"vectors"})).trace.hits

    assert [hit.word_rank for hit in by_words] == list(range(1, len(by_words) + 1))
    assert {hit.vector_rank for hit in by_words} == {None}
    assert [hit.vector_rank for hit in by_vector] == list(range(1, len(by_vector) + 1))
    assert {hit.word_score for hit in by_vector} == {None}


def test_the_best_sentence_of_a_chunk_counts(bench):
    padding = "Nothing of interest is said in this sentence about other matters. " * 3
    bench.write("a.md", f"# A\n\n{padding}The ferry leaves at noon from the north quay.\n")
    bench.ingest()
    [hit] = bench.search_with_trace("When does the ferry leave from the north quay?").trace.hits

    assert hit.sentence_similarity > hit.similarity


def test_copies_are_shown_once_with_all_their_places(bench):
    rule = "Dogs travel free of charge on all ferries and must be kept on a lead while in the saloon."
    for name in ("crew", "guests", "shops"):
        bench.write(f"{name}.md", f"# {name.title()}\n\n{rule}\n")
    bench.write("fees.md", f"# Fees\n\n{rule} The fine is 40 marks.\n")
    bench.ingest()
    result = bench.search_with_trace("Do dogs travel free of charge?")

    assert len(result.passages) == 2
    places = [passage.path for passage in result.passages]
    places += [place.path for passage in result.passages for place in passage.also_in]
    assert sorted(places) == ["crew.md", "fees.md", "guests.md", "shops.md"]
    dropped = [hit.dropped for hit in result.trace.hits if hit.dropped]
    assert len(dropped) == 2
    assert all(text.startswith("says nearly the same as passage") for text in dropped)


def test_copies_of_both_halves_of_a_joined_passage_are_shown_once(make_bench):
    bench = make_bench(chunk_tokens=40)
    halves = [
        " ".join(["Zebra", *(f"{half}{letter}" for letter in "abcdefghijklmnopqrstuvwx")]) + "."
        for half in ("first", "second")
    ]
    for path in ("a.md", "b.md"):
        bench.write(path, "# Head\n\n" + "\n\n".join(halves) + "\n")
    bench.ingest()

    [passage] = bench.search("zebra")

    assert all(half in passage.text for half in halves)
    assert len(passage.also_in) == 1


def test_neighbouring_chunks_of_a_section_become_one_passage(bench):
    steps = [f"Step {number} of mooring is to tie rope number {number} to the quay." for number in range(18)]
    bench.write("mooring.md", "# Mooring\n\n" + "\n\n".join(steps) + "\n")
    bench.ingest()
    result = bench.search_with_trace("Which rope is tied to the quay in each step of mooring?")

    [passage] = result.passages
    joined = [hit for hit in result.trace.hits if hit.number == 1]
    assert len(joined) == DOCUMENT_SHARE
    document = bench.library.find_document(passage.chunk.document_id)
    assert passage.text == document.text[passage.chunk.start : passage.chunk.end]
    assert passage.chunk.start == min(hit.start for hit in joined)
    assert passage.chunk.end == max(hit.end for hit in joined)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_neighbours_become_one_passage_in_whatever_order_they_rank(bench, order):
    steps = [f"Step {number} of mooring is to tie rope number {number} to the quay." for number in range(12)]
    bench.write("mooring.md", "# Mooring\n\n" + "\n\n".join(steps) + "\n")
    bench.ingest()
    found = sorted(bench.list_chunks().values(), key=lambda item: item[0].ordinal)
    [record] = bench.library.list_documents(CORPUS)
    matches = [Match(found[place][0], record) for place in order]

    [passage], hits = choose_passages(
        matches, corpus=CORPUS, limit=5, share=3, read_text=bench.library.read_text
    )

    assert (passage.chunk.start, passage.chunk.end) == (found[0][0].start, found[2][0].end)
    assert passage.chunk.id == matches[0].chunk.id
    assert [hit.number for hit in hits] == [1, 1, 1]


def test_chunks_of_different_sections_stay_apart(bench):
    bench.write("a.md", "# A\n\n## Dogs\n\nDogs are free.\n\n## Cats\n\nCats are free.\n")
    bench.ingest()

    assert len(bench.search("Are dogs and cats free?")) == 2


def test_every_hit_is_a_passage_or_says_why_it_is_none(bench):
    for number in range(30):
        bench.write(f"{number}.md", f"# Ferry {number}\n\nThe ferry number {number} leaves at {number}.\n")
    bench.ingest()
    result = bench.search_with_trace("When does the ferry leave?", limit=4)

    assert [passage.number for passage in result.passages] == [1, 2, 3, 4]
    assert all((hit.number is None) == bool(hit.dropped) for hit in result.trace.hits)
    assert [hit.score for hit in result.trace.hits] == sorted(
        (hit.score for hit in result.trace.hits), reverse=True
    )
    assert {name for name, _ in result.trace.seconds} >= {"embedding", "vectors", "words", "ranking"}


def test_filters_alone_tell_which_passages_hold_excluded_words(notes):
    result = notes.search_with_trace("", filters=SearchFilters(files=("*.md",), excluded=("ferry",)))

    assert "ferry.md" not in [passage.path for passage in result.passages]
    dropped = {hit.path: hit.dropped for hit in result.trace.hits if hit.dropped}
    assert dropped == {"ferry.md": "holds “ferry”, which was excluded"}


@pytest.mark.parametrize("asked", ["lifejackets", "life-jacket", "life jackets"])
def test_the_words_of_a_compound_are_found_however_it_is_written(notes, asked):
    notes.write("one.md", "# Safety\n\nA lifejacket for each child.")
    notes.write("two.md", "# Stairs\n\nThe life jackets hang here.")
    notes.ingest()

    found = notes.search_with_trace(asked, ways=frozenset({WORDS}))

    assert {passage.path for passage in found.passages} == {"one.md", "two.md"}


def test_the_newer_of_two_versions_goes_first(bench):
    for year in (2023, 2025):
        bench.write(
            f"leave-{year}.md",
            f"---\ndate: {year}-01-01\n---\n# Leave policy {year}\n\n"
            f"Shore staff have {year - 2000} days of leave.\n",
        )
    bench.ingest()

    assert bench.search("How many days of leave do shore staff have?")[0].path == "leave-2025.md"
    assert bench.search("How many days of leave did shore staff have in 2023?")[0].path == "leave-2023.md"


@pytest.mark.models
def test_meaning_is_found_without_a_shared_word(make_bench, minilm):
    bench = make_bench("real", embedder=minilm, chunk_tokens=200)
    for path, text in NOTES.items():
        bench.write(path, text)
    bench.ingest()

    assert bench.search("How much vacation do employees get?")[0].path == "leave.md"
    assert bench.search("ship sailing schedule")[0].path == "ferry.md"
    assert bench.search("QX-7")[0].path == "codes.md"
