import pytest

from chatbot.ranking import RANK_CONSTANT, fuse_ranks
from chatbot.retrieval import DOCUMENT_SHARE
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
        own = notes.library.find_vectors([passage.chunk.id], notes.embedder.fingerprint)[passage.chunk.id]
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
        sections = [f"## Part {number}\n\nThe ferry leaves at {number}.\n" for number in range(8)]
        bench.write(f"{name}.md", f"# {name}\n\n" + "\n".join(sections))
    bench.ingest()

    paths = [passage.path for passage in bench.search("When does the ferry leave?", limit=10)]

    assert {path: paths.count(path) for path in set(paths)} == {
        "a.md": DOCUMENT_SHARE,
        "b.md": DOCUMENT_SHARE,
    }


def test_a_corpus_without_documents_finds_nothing(bench):
    assert bench.search("ferry") == []


def test_fused_scores_add_the_reciprocal_ranks():
    scores = fuse_ranks([["a", "b"], ["b", "c"]])

    assert scores == pytest.approx(
        {
            "b": 1 / (RANK_CONSTANT + 2) + 1 / (RANK_CONSTANT + 1),
            "a": 1 / (RANK_CONSTANT + 1),
            "c": 1 / (RANK_CONSTANT + 2),
        }
    )
    assert list(scores) == ["b", "a", "c"]


def test_ties_keep_the_order_of_the_first_ranking():
    assert list(fuse_ranks([["a"], ["b"]])) == ["a", "b"]


def test_nothing_fused_is_nothing():
    assert fuse_ranks([[], []]) == {}


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
