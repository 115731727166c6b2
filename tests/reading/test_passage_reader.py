"""The real reading model on a few passages."""

import pytest

from chatbot.reading.choosing import prepare_reader
from chatbot.reading.graph_reader import load_graph_reader
from chatbot.reading.passage_reader import load_passage_reader
from tests.makers import make_passage

LEAVE = make_passage("Full-time shore staff receive 27 days of annual leave a year. Crew receive more.")
SHOP = make_passage("The shop in the terminal sells tea. It was built in 1931.", number=2)


@pytest.fixture(
    scope="module", params=[("small", "PyTorch"), ("small", "OpenVINO"), ("large", "OpenVINO")], ids=" ".join
)
def reader(request, tmp_path_factory):
    name, engine = request.param
    if engine == "OpenVINO":
        pytest.importorskip("openvino")
    folder = request.getfixturevalue("large_data") if name == "large" else tmp_path_factory.mktemp("data")
    files = prepare_reader(name, data_folder=folder, on_progress=lambda _: None)
    assert files.name == name
    load = {"PyTorch": load_passage_reader, "OpenVINO": load_graph_reader}[engine]
    return load(files.base, base_sha256=files.base_sha256, weights=files.weights)


def find_answer(reader, question, *passages):
    """The likeliest answer over all passages, its passage's number and its odds."""
    reading = reader.read(question, passages)
    found = {number: item.find_best() for number, item in reading.passages.items()}
    number = max(found, key=lambda place: found[place].score)
    text = next(passage.text for passage in passages if passage.number == number)
    best = found[number]
    return text[best.start : best.end], number, reading.measure_odds(best)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How many days of annual leave do shore staff receive?", "27"),
        ("What does the shop sell?", "tea"),
        ("When was the shop built?", "1931"),
    ],
)
def test_answers_are_read_off_the_passage_that_holds_them(reader, question, expected):
    answer, number, _ = find_answer(reader, question, LEAVE, SHOP)

    assert expected in answer
    assert len(answer) < 20
    assert number == (1 if expected == "27" else 2)


def test_what_no_passage_says_has_worse_odds_than_what_one_says(reader):
    _, _, known = find_answer(reader, "When was the shop built?", LEAVE, SHOP)
    _, _, unknown = find_answer(reader, "Who painted the lighthouse?", LEAVE, SHOP)

    assert known > unknown + 3


def test_a_long_passage_is_read_to_its_end(reader):
    filler = "The quay is long and the sea is grey. " * 120
    passage = make_passage(f"{filler}The lighthouse was painted by Ingrid Sund in spring. {filler}")

    answer, _, _ = find_answer(reader, "Who painted the lighthouse?", passage)

    assert answer.startswith("Ingrid Sund")


def test_context_is_read_but_is_no_answer(reader):
    passage = make_passage("It opens at noon.", title="The museum of Tolsay")

    reading = reader.read("Which museum opens at noon?", [passage]).passages[1]

    assert reading.offsets.min() >= 0
    assert reading.offsets.max() <= len(passage.text)


def test_a_question_of_many_words_is_no_error(reader):
    answer, _, _ = find_answer(reader, "ferry " * 500 + "When was the shop built?", SHOP)

    assert answer


def test_no_passages_give_an_empty_reading(reader):
    assert reader.read("When?", []).passages == {}


@pytest.mark.parametrize("text", ["", "\n\n", "漢字 and 🚢", "word " * 3])
def test_odd_passages_are_read_in_their_own_characters(reader, text):
    reading = reader.read("When?", [make_passage(text)]).passages[1]

    best = reading.find_best()
    assert (best is None) == (not text.strip())
    if best is not None:
        assert 0 <= best.start < best.end <= len(text)
