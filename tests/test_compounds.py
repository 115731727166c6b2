import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.compounds import list_spellings

HELD = frozenset(
    "life jacket jackets lifeboat email mail operate log backup boat over time sea son night shift".split()
)


def spell(text: str) -> list[str]:
    return list_spellings(text, lambda words: HELD & set(words))


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("lifejackets", "life-jackets"),
        ("lifejacket", "life-jacket"),
        ("Lifejackets for children", "life-jackets for children"),
        ("life boats", "lifeboats"),
        ("life-boat", "lifeboat"),
        ("e-mail", "email"),
        ("email", "e-mail"),
        ("cooperate", "co-operate"),
        ("login", "log-in"),
        ("back up", "backup"),
        ("nightshift", "night-shift"),
    ],
)
def test_a_compound_is_also_written_as_documents_write_it(text, other):
    assert spell(text) == [text, other]


@pytest.mark.parametrize(
    "text", ["", "overtime", "life jacket", "zebras", "sign-in", "GW-410", "season ticket"]
)
def test_what_documents_do_not_hold_otherwise_stays_as_it_is(text):
    held = HELD - {"son"}

    assert list_spellings(text, lambda words: held & set(words)) == [text]


@given(st.text(max_size=40))
def test_any_text_comes_first_among_its_spellings(text):
    assert list_spellings(text, lambda words: words)[0] == text
