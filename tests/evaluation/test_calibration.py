import json

import pytest

from chatbot.errors import CorpusError
from chatbot.evaluation import calibration
from chatbot.evaluation.calibration import (
    Outcome,
    calibrate,
    calibrate_corpus,
    format_calibration,
    is_sound,
    measure_floor,
    write_calibration,
)
from chatbot.settings import Settings

SURE, WRONG, UNKNOWN = (
    Outcome(0.9, answerable=True, right=True),
    Outcome(0.5, answerable=True, right=False),
    Outcome(0.6, answerable=False, right=False),
)
OUTCOMES = [SURE, SURE, SURE, Outcome(0.7, answerable=True, right=True), WRONG, UNKNOWN]


def test_a_floor_declines_what_scores_below_it():
    figures = measure_floor(OUTCOMES, 0.65)

    assert figures.answered == pytest.approx(4 / 5)
    assert figures.declined == 1.0
    assert figures.wrong == 0.0


def test_a_floor_of_nothing_answers_all():
    figures = measure_floor(OUTCOMES, 0.0)

    assert (figures.answered, figures.declined) == (1.0, 0.0)
    assert figures.wrong == pytest.approx(2 / 6)


def test_the_lowest_floor_with_few_enough_wrong_answers_is_chosen():
    assert calibrate(OUTCOMES, most_wrong=0.0, present=0.6).chosen.floor == 0.7
    assert calibrate(OUTCOMES, most_wrong=0.2, present=0.6).chosen.floor == 0.6
    assert calibrate(OUTCOMES, most_wrong=0.5, present=0.6).chosen.floor == 0.5


def test_where_no_floor_is_good_enough_the_best_is_chosen_and_that_is_said():
    calibration_ = calibrate([WRONG, UNKNOWN], most_wrong=0.1, present=0.6)

    assert calibration_.chosen.wrong == 1.0
    assert "No floor keeps the wrong answers at 10%." in format_calibration(calibration_)


def test_floors_are_measured_on_questions_that_they_were_not_chosen_by():
    many = [Outcome(0.5 + place / 100, answerable=True, right=True) for place in range(20)]
    unknown = Outcome(0.6, answerable=False, right=False)

    calibrated = calibrate([*many, unknown], most_wrong=0.0, present=0.6)

    assert calibrated.chosen.wrong == 0.0
    assert calibrated.held_out.wrong > 0.0  # chosen without the one that cannot be answered, its floor is low
    assert "unseen" in format_calibration(calibrated)


def test_a_chosen_floor_never_declines_what_it_was_chosen_by():
    outcomes = [Outcome(0.7006, answerable=True, right=True), Outcome(0.5, answerable=False, right=False)]

    assert calibrate(outcomes, most_wrong=0.0, present=0.6).chosen.answered == 1.0


@pytest.mark.parametrize(
    ("record", "is_right"),
    [
        ({"answers": ["noon"], "right": True, "gold": ["a.md"], "cited": []}, True),
        ({"answers": ["noon"], "right": False, "gold": ["a.md"], "cited": ["a.md"]}, False),
        ({"answers": [], "right": False, "gold": ["a.md"], "cited": ["a.md", "b.md"]}, True),
        ({"answers": [], "right": False, "gold": ["a.md"], "cited": ["b.md"]}, False),
    ],
)
def test_without_expected_words_the_place_tells_whether_an_answer_is_right(record, is_right):
    assert is_sound(record | {"answerable": True}) is is_right
    assert is_sound(record | {"answerable": False, "right": False}) is False


def test_an_answer_declined_for_another_reason_is_never_given():
    figures = measure_floor([Outcome(0.9, answerable=False, right=False, declined=True)], 0.0)

    assert figures.declined == 1.0
    assert figures.wrong is None


def test_the_text_holds_the_present_floor_and_the_one_to_set():
    text = format_calibration(calibrate(OUTCOMES, most_wrong=0.0, present=0.55))

    assert "now     0.550" in text
    assert "CHATBOT_EVIDENCE_FLOOR=0.700" in text


def test_the_file_holds_every_floor(tmp_path):
    result = calibrate(OUTCOMES, most_wrong=0.1, present=0.6)
    write_calibration(result, tmp_path / "floors.json")

    floors = json.loads((tmp_path / "floors.json").read_text())["floors"]
    assert [item["floor"] for item in floors] == [0.5, 0.6, 0.7, 0.9]
    with pytest.raises(CorpusError, match="cannot be written"):
        write_calibration(result, tmp_path / "nowhere" / "floors.json")


def ask_nothing_unanswerable(_plan, settings, _on_progress):
    assert 0 < settings.evidence_floor < 0.001
    questions = [
        {"best_evidence": 0.7, "answerable": True, "right": True, "declined": False, "answers": ["a"]},
    ]
    return {"questions": questions}


def test_questions_that_can_all_be_answered_tell_nothing(monkeypatch):
    monkeypatch.setattr(calibration, "run_evaluation", ask_nothing_unanswerable)

    with pytest.raises(CorpusError, match="nothing tells when to decline"):
        calibrate_corpus(Settings(corpus="notes"), None, most_wrong=0.1, on_progress=lambda _: None)
