import pytest

from chatbot.evaluation.metrics import (
    combine_f1,
    estimate_interval,
    is_right,
    measure_f1,
    measure_recall,
    measure_reciprocal_rank,
    normalize_answer,
    summarize_seconds,
    take_mean,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("The 27 Days.", "27 days"), ("“An  apple”, a day!", "apple day"), ("", ""), ("the", "")],
)
def test_answers_are_compared_without_case_punctuation_and_articles(text, expected):
    assert expected == normalize_answer(text)


@pytest.mark.parametrize(
    ("answer", "gold", "expected"),
    [
        ("Staff have 27 days.", ["27 days"], True),
        ("Staff have 127 days.", ["27 days"], False),
        ("Staff have 27.", ["27 days", "27"], True),
        ("The Board decides.", ["the board"], True),
        ("", ["27"], False),
        ("anything", [], False),
        ("anything", ["the"], False),
    ],
)
def test_an_answer_is_right_when_it_holds_a_gold_answer_as_whole_words(answer, gold, expected):
    assert expected is is_right(answer, gold)


@pytest.mark.parametrize(
    ("answer", "gold", "expected"),
    [
        ("27 days", ["27 days"], 1.0),
        ("27 days of leave", ["27 days"], 2 * (2 / 4) * 1 / (2 / 4 + 1)),
        ("27 27", ["27"], 2 * 0.5 * 1 / 1.5),
        ("zebra", ["27 days"], 0.0),
        ("27 days", ["other", "27 days"], 1.0),
        ("27", [], 0.0),
    ],
)
def test_token_f1_is_the_best_with_any_gold_answer(answer, gold, expected):
    assert measure_f1(answer, gold) == pytest.approx(expected)


@pytest.mark.parametrize(("k", "expected"), [(1, 0.0), (2, 0.5), (5, 1.0)])
def test_recall_is_the_share_of_gold_among_the_first(k, expected):
    assert expected == measure_recall(["x", "a", "y", "b"], ["a", "b"], k)


@pytest.mark.parametrize(("gold", "expected"), [(["x"], 1.0), (["b", "a"], 0.5), (["z"], 0.0)])
def test_the_reciprocal_rank_is_that_of_the_first_gold(gold, expected):
    assert expected == measure_reciprocal_rank(["x", "a", "y", "b"], gold)


@pytest.mark.parametrize(
    ("precision", "recall", "expected"),
    [(0.5, 0.5, 0.5), (1.0, 0.5, 2 / 3), (0.0, 0.0, 0.0), (None, 0.0, None), (0.0, None, None)],
)
def test_f1_is_the_harmonic_mean_of_what_is_known(precision, recall, expected):
    assert combine_f1(precision, recall) == (None if expected is None else pytest.approx(expected))


def test_the_interval_of_a_share_is_wilsons():
    # The worked figures of Newcombe (1998), table I, method 3.
    assert estimate_interval([1.0] * 81 + [0.0] * 182) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert estimate_interval([0.0] * 20) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_the_interval_of_a_mean_narrows_with_more_values():
    few, many = (estimate_interval([0.2, 0.5, 0.9] * times) for times in (3, 300))

    assert few[0] < many[0] < 1.6 / 3 < many[1] < few[1]


def test_a_mean_of_nothing_is_unknown():
    assert (take_mean([]), take_mean([1, 3])) == (None, 2.0)


def test_seconds_are_summed_up_by_nearest_rank():
    assert summarize_seconds(list(range(1, 101))) == {"median": 50.5, "p95": 95}
    assert summarize_seconds([3]) == {"median": 3, "p95": 3}
    assert summarize_seconds([]) == {"median": None, "p95": None}
