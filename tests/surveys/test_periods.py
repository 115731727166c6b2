from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.surveys.periods import Period, read_moment, read_period, take_last_period

DAYS = st.dates(date(1900, 1, 1), date(2098, 12, 31))


@pytest.mark.parametrize(
    ("text", "after", "before"),
    [
        ("from 2024", "2024-01-01", "2025-01-01"),
        ("in March 2024", "2024-03-01", "2024-04-01"),
        ("dated 2024-12", "2024-12-01", "2025-01-01"),
        ("since 1st May 2024", "2024-05-01", None),
        ("from 2023 onwards", "2023-01-01", None),
        ("between 2022 and 2024", "2022-01-01", "2025-01-01"),
        ("from Jan 2022 to Feb 2022", "2022-01-01", "2022-03-01"),
        ("older than 2023", None, "2023-01-01"),
        ("that are newer than 2023", "2024-01-01", None),
        ("were last updated after March 2024", "2024-04-01", None),
        ("until 29 February 2024", None, "2024-03-01"),
    ],
)
def test_a_period_is_read_with_its_first_day_and_the_day_behind_it(text, after, before):
    period = Period(*(day and date.fromisoformat(day) for day in (after, before)))

    assert read_period(f"{text} about dogs") == (period, "about dogs")


@pytest.mark.parametrize(
    "text", ["from 31 February 2024", "in 2024-13", "from 2024-25", "from home", "2024", ""]
)
def test_what_is_no_period_is_left_alone(text):
    assert read_period(text) is None


def test_a_year_that_belongs_to_the_words_before_it_is_no_limit():
    assert take_last_period("the budget for 2024") == ("the budget for 2024", None)
    assert take_last_period("the budget since 2024") == ("the budget", Period(date(2024, 1, 1), None))


@given(DAYS)
def test_every_way_to_write_a_day_means_that_day(day):
    month = day.strftime("%B")
    ways = [day.isoformat(), f"{day.day} {month} {day.year}", f"{month} {day.day}, {day.year}"]

    assert {read_moment(text) for text in ways} == {(day, day + timedelta(days=1))}


@given(DAYS)
def test_a_day_lies_in_its_month_and_its_year(day):
    for text in (day.strftime("%Y-%m"), day.strftime("%B %Y"), str(day.year)):
        first, behind = read_moment(text)
        assert first <= day < behind


@given(st.text(max_size=60))
def test_any_text_can_be_read(text):
    found = read_period(text)

    assert found is None or text.endswith(found[1])
    assert text.strip().startswith(take_last_period(text)[0].strip())
