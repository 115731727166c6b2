import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.reading.reading import (
    LONGEST_ANSWER_TOKENS,
    AnswerSpan,
    PassageReading,
    Reading,
    merge_windows,
)

WORDS = 6
OFFSETS = np.array([(5 * place, 5 * place + 4) for place in range(WORDS)], dtype=np.int64)


def make_reading(begins, ends, *, nothing=0.0, offsets=OFFSETS) -> PassageReading:
    return PassageReading(offsets, np.array(begins, np.float32), np.array(ends, np.float32), nothing)


def test_the_likeliest_answer_begins_and_ends_where_the_model_says():
    reading = make_reading([0, 0, 3, 0, 0, 0], [0, 0, 0, 4, 0, 0])

    assert reading.find_best() == AnswerSpan(10, 19, 7.0)


def test_an_answer_never_ends_before_it_begins():
    reading = make_reading([0, 0, 0, 0, 9, 0], [0, 9, 0, 0, 0, 0])

    best = reading.find_best()

    assert best is not None
    assert best.start < best.end
    assert best.score == 9.0


def test_an_answer_within_a_sentence_stays_in_it():
    reading = make_reading([9, 0, 0, 2, 0, 0], [9, 0, 0, 0, 1, 0])

    assert reading.find_best(15, 24) == AnswerSpan(15, 24, 3.0)


def test_a_stretch_without_a_token_holds_no_answer():
    assert make_reading([0] * WORDS, [0] * WORDS).find_best(4, 5) is None


def test_a_long_stretch_is_no_short_answer():
    count = LONGEST_ANSWER_TOKENS + 10
    offsets = np.array([(place, place + 1) for place in range(count)], dtype=np.int64)
    begins, ends = np.zeros(count), np.zeros(count)
    begins[0] = ends[-1] = 5

    best = make_reading(begins, ends, offsets=offsets).find_best()

    assert best is not None
    assert best.end - best.start <= LONGEST_ANSWER_TOKENS


@given(
    st.lists(st.tuples(st.floats(-9, 9, width=32), st.floats(-9, 9, width=32)), min_size=1, max_size=40),
    st.integers(0, 40),
    st.integers(0, 40),
)
def test_no_other_stretch_scores_higher(numbers, start, end):
    begins, ends = zip(*numbers, strict=True)
    offsets = np.array([(place, place + 1) for place in range(len(numbers))], dtype=np.int64)
    every = [
        begins[first] + ends[last]
        for first in range(start, min(end, len(numbers)))
        for last in range(first, min(end, len(numbers), first + LONGEST_ANSWER_TOKENS))
    ]

    best = make_reading(begins, ends, offsets=offsets).find_best(start, end)

    assert (best is None) == (not every)
    if best is not None:
        assert best.score == pytest.approx(max(every), abs=1e-4)


def test_odds_weigh_an_answer_against_nothing_in_all_passages():
    one, other = (make_reading([0] * WORDS, [0] * WORDS, nothing=nothing) for nothing in (1.0, 3.0))
    reading = Reading({1: one, 2: other})

    assert reading.nothing == pytest.approx(np.log(np.exp(1) + np.exp(3)))
    assert reading.measure_odds(AnswerSpan(0, 4, 5.0)) == pytest.approx(5.0 - reading.nothing)


def test_no_passages_hold_nothing():
    assert Reading({}).nothing == 0.0


def test_windows_become_one_reading_with_the_surer_numbers():
    first = make_reading([1, 2, 3], [1, 2, 3], nothing=5.0, offsets=OFFSETS[:3])
    second = make_reading([9, 0, 4], [0, 9, 4], nothing=-1.0, offsets=OFFSETS[1:4])

    merged = merge_windows([first, second])

    assert merged.offsets.tolist() == OFFSETS[:4].tolist()
    assert merged.begins.tolist() == [1, 9, 3, 4]
    assert merged.ends.tolist() == [1, 2, 9, 4]
    assert merged.nothing == -1.0


def test_a_passage_that_was_not_read_counts_as_the_emptiest_of_those_that_were():
    one, other = (make_reading([0] * WORDS, [0] * WORDS, nothing=nothing) for nothing in (1.0, 3.0))

    reading = Reading({1: one, 2: other}, unread=2)

    assert reading.nothing == pytest.approx(np.log(np.exp(1) + 3 * np.exp(3)))
