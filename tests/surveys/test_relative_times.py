from datetime import date

import pytest

from chatbot.surveys.relative_times import name_dates


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("since January", "since 2026-01"),
        ("since May", "since 2026-05"),
        ("before December", "before 2025-12"),
        ("from last year", "from 2025"),
        ("written this year", "written in 2026"),
        ("changed last month", "changed in 2026-04"),
        ("in this month", "in 2026-05"),
        ("from the last 10 days", "since 2026-05-10"),
        ("in the past two weeks", "since 2026-05-06"),
        ("changed in the last six months", "changed since 2025-11-18"),
        ("over the last year", "since 2025-05-20"),
        ("older than a year", "older than 2025-05-20"),
        ("newer than 3 days", "newer than 2026-05-17"),
    ],
)
def test_years_and_months_are_counted_from_today(text, named):
    assert name_dates(text, date(2026, 5, 20)) == named


@pytest.mark.parametrize(
    "text",
    [
        "since March 2024",
        "since 1 May",
        "in March",
        "from Maybury",
        "last year",
        "the May report",
        "since",
        "over",
        "the last ferry",
    ],
)
def test_what_names_its_year_or_no_time_stays(text):
    assert name_dates(text, date(2026, 5, 20)) == text


def test_last_month_in_january_is_december():
    assert name_dates("since last month", date(2026, 1, 31)) == "since 2025-12"
