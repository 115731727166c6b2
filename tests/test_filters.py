import json
import re
import string
from dataclasses import asdict
from datetime import date

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from chatbot.errors import QuestionError
from chatbot.filters import (
    describe_filters,
    holds_words,
    list_choices,
    merge_filters,
    narrow_filters,
    read_first_day,
    read_language,
    remove_filters,
    select_documents,
    split_query,
    unpack_filters,
)
from chatbot.types import NO_FILTERS, DocumentRecord, FilterChoices, SearchFilters

TEXTS = st.text(alphabet=st.one_of(st.sampled_from('":-*?/. “”„\tfiletypafrbo'), st.characters()))
PLAIN = st.text(alphabet=st.one_of(st.sampled_from("- a."), st.characters(exclude_characters=':"“”„')))
VALUES = st.text(alphabet=string.ascii_letters + string.digits, min_size=1)


def make_record(path, *, title="", file_date=None, language=None) -> DocumentRecord:
    return DocumentRecord(
        id=path,
        corpus="notes",
        path=path,
        title=title,
        format=path.rpartition(".")[2],
        size_bytes=1,
        modified_ns=1,
        sha256="",
        date=file_date,
        pages=0,
        chunks=1,
        added_at="",
        language=language,
    )


RECORDS = [
    make_record("leave.md", title="Annual leave", file_date="2023-12-31", language="en"),
    make_record("people/sick-leave.md", title="Illness", file_date="2024-01-01", language="en"),
    make_record("people/old/Urlaub [alt].pdf", title="Urlaub", language="de"),
    make_record("archive/people/fees.htm", title="Fees", file_date="2024-06-30"),
]


def select(**filters) -> list[str]:
    return [record.path for record in select_documents(RECORDS, SearchFilters(**filters))]


# Reading what was typed


@pytest.mark.parametrize(
    ("text", "words", "filters"),
    [
        ("file:leave.md", "", {"files": ("leave.md",)}),
        ('days file:"annual leave.md" off', "days off", {"files": ("annual leave.md",)}),
        ("days in file:leave.md?", "days in?", {"files": ("leave.md",)}),
        ("file:leave.md, how many days?", "how many days?", {"files": ("leave.md",)}),
        ("File:a.md FILE:*.pdf x", "x", {"files": ("a.md", "*.pdf")}),
        ("folder:people/benefits x", "x", {"folders": ("people/benefits",)}),
        ("type:PDF type:.htm x", "x", {"formats": ("pdf", "html")}),
        ("lang:en language:German x", "x", {"languages": ("en", "de")}),
        ("after:2024-05-31 x", "x", {"after": "2024-05-31"}),
        ("x before:2024", "x", {"before": "2024-01-01"}),
        ("x after:2024-5 after:2023", "x", {"after": "2024-05-01"}),
        ('the "annual leave" rule', "the annual leave rule", {"phrases": ("annual leave",)}),
        ("the “annual leave” rule", "the annual leave rule", {"phrases": ("annual leave",)}),
        ('what is "sick leave"?', "what is sick leave?", {"phrases": ("sick leave",)}),
        ("leave -draft", "leave", {"excluded": ("draft",)}),
        ('leave -"first draft" -v2-draft', "leave", {"excluded": ("first draft", "v2-draft")}),
        ('"file:a.md" x', "file:a.md x", {"phrases": ("file:a.md",)}),
    ],
)
def test_filters_are_told_from_words(text, words, filters):
    assert split_query(text) == (words, SearchFilters(**filters))


@pytest.mark.parametrize(
    "text",
    [
        "When does the ferry leave at 10:30?",
        "re: leave",
        "note: x",
        "What does https://example.org/file:x say?",
        "file:///home/me/leave.md",
        "It is -5 degrees",
        "a well-known rule",
        "what does type: mean",
        "noon - or later",
        "the day 's end, don't ask",
        "the captain's 'log' isn't here",
        'an unpaired " quote',
        "an unpaired “ quote",
        'a 27" screen or a 24" one',
        "key:value",
        "What does the -v option do?",
        "the boat -which is old- leaves",
        "-- or --force",
        "-type:pdf",
        "“”",
        '""',
        "file:?!",
        "  blanks  stay ",
        "",
    ],
)
def test_what_a_question_holds_anyway_is_no_filter(text):
    assert split_query(text) == (text, NO_FILTERS)


@given(TEXTS)
@example("after:2024-02-30")
@example('file:"')
def test_any_text_is_split_or_refused_with_advice(text):
    try:
        words, filters = split_query(text)
    except QuestionError:
        assert re.search("(?:after|before|lang|language):", text, re.IGNORECASE)
    else:
        assert words == remove_filters(text)
        assert filters != NO_FILTERS or words == text


@given(PLAIN)
def test_text_without_colons_quotes_and_leading_hyphens_comes_back_as_it_is(text):
    assume(not re.search(r"(?:^|\s)-", text))

    assert split_query(text) == (text, NO_FILTERS)


@given(st.lists(VALUES, min_size=1, max_size=4), VALUES)
def test_typed_values_come_back_in_their_order(files, word):
    text = " ".join([*(f"file:{name}" for name in files), word])

    assert split_query(text) == (word, SearchFilters(files=tuple(dict.fromkeys(files))))


def test_a_megabyte_of_signs_is_read_at_once():
    for text in ("file:" + "." * 10**6, ' "a' * 10**5, " -" + "a" * 10**6, "-" * 10**6):
        assert remove_filters(text).strip()


@given(st.dates())
def test_a_day_is_itself_and_a_month_and_a_year_their_first_day(day):
    text = day.isoformat()

    assert read_first_day(text) == text
    assert read_first_day(text[:7]) == day.replace(day=1).isoformat()
    assert read_first_day(text[:4]) == date(day.year, 1, 1).isoformat()


@pytest.mark.parametrize(
    "text", ["after:yesterday", "before:2024-13", "after:2024-02-30", "after:0000", "before:24"]
)
def test_a_date_that_is_none_is_refused_with_how_to_write_one(text):
    with pytest.raises(QuestionError, match="2024-05-31, 2024-05 or 2024"):
        split_query(text)


def test_an_unknown_language_is_refused_with_how_to_write_one():
    with pytest.raises(QuestionError, match=r"“klingon”.*lang:de"):
        split_query("lang:klingon x")


@pytest.mark.parametrize("text", ["de", "DE", "de-AT", "german", "German"])
def test_a_language_is_known_by_code_region_and_name(text):
    assert read_language(text) == "de"


# Putting together and telling


def test_merged_filters_add_up_and_narrow_the_time():
    merged = merge_filters(
        SearchFilters(files=("a",), after="2023-01-01", before="2025-01-01", phrases=("x",)),
        SearchFilters(files=("b", "a"), after="2024-01-01", excluded=("y",)),
    )

    assert merged == SearchFilters(
        files=("a", "b"), after="2024-01-01", before="2025-01-01", phrases=("x",), excluded=("y",)
    )


@pytest.mark.parametrize(
    ("first", "second", "paths"),
    [
        ({"formats": ("md", "pdf")}, {"formats": ("pdf",)}, ["people/old/Urlaub [alt].pdf"]),
        ({"formats": ("md",)}, {"formats": ("pdf",)}, []),
        ({"folders": ("people",)}, {"folders": ("archive",)}, ["archive/people/fees.htm"]),
        ({"files": ("*.md",)}, {"files": ("leave",)}, ["leave.md", "people/sick-leave.md"]),
        ({"languages": ("en",)}, {"folders": ("people",)}, ["people/sick-leave.md"]),
        ({"after": "2024-01-01"}, {"after": "2024-02-01"}, ["archive/people/fees.htm"]),
    ],
)
def test_narrowed_filters_let_through_only_what_both_do(first, second, paths):
    narrowed = narrow_filters(SearchFilters(**first), SearchFilters(**second))

    assert [record.path for record in select_documents(RECORDS, narrowed)] == paths
    assert set(paths) == set(select(**first)) & set(select(**second))


def test_narrowed_filters_are_told_and_kept_whole():
    narrowed = narrow_filters(
        SearchFilters(formats=("docx",)), SearchFilters(formats=("pdf",), excluded=("x",))
    )

    assert describe_filters(narrowed) == ["type docx", "type pdf", "without “x”"]
    assert unpack_filters(json.loads(json.dumps(asdict(narrowed)))) == narrowed


def test_narrowing_twice_keeps_all_three():
    kinds = [SearchFilters(folders=(name,)) for name in ("people", "archive", "old")]
    narrowed = narrow_filters(narrow_filters(kinds[0], kinds[1]), kinds[2])

    assert describe_filters(narrowed) == ["folder people", "folder archive", "folder old"]


def test_no_filters_change_no_others():
    filters = SearchFilters(folders=("a",), after="2024-01-01")

    assert narrow_filters(filters, NO_FILTERS) == filters == narrow_filters(NO_FILTERS, filters)
    assert merge_filters(filters, NO_FILTERS) == filters == merge_filters(NO_FILTERS, filters)


def test_filters_are_told_in_plain_words():
    _, filters = split_query(
        'file:leave.md type:pdf type:docx lang:de after:2024 before:2025-03 "two words" -draft'
    )

    assert describe_filters(filters) == [
        "file leave.md",
        "type pdf or docx",
        "in German",
        "from 2024-01-01 on",
        "before 2025-03-01",
        "with “two words”",
        "without “draft”",
    ]


def test_choices_are_what_the_documents_have():
    assert list_choices(RECORDS) == FilterChoices(
        formats=("html", "md", "pdf"),
        folders=("archive", "archive/people", "people", "people/old"),
        languages=("de", "en"),
        earliest="2023-12-31",
        latest="2024-06-30",
    )
    assert list_choices([]) == FilterChoices()


# Choosing documents


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("leave.md", ["leave.md"]),
        ("LEAVE.md", ["leave.md"]),
        ("people/sick-leave.md", ["people/sick-leave.md"]),
        ("old/urlaub [alt].pdf", ["people/old/Urlaub [alt].pdf"]),
        ("leave", ["leave.md", "people/sick-leave.md"]),
        ("annual", ["leave.md"]),
        ("*.md", ["leave.md", "people/sick-leave.md"]),
        ("people/*", ["people/sick-leave.md", "people/old/Urlaub [alt].pdf"]),
        ("*[alt]*", ["people/old/Urlaub [alt].pdf"]),
        ("?eave.md", ["leave.md"]),
        ("people", []),
        ("../leave.md", []),
    ],
)
def test_a_file_is_known_by_name_end_of_path_pattern_and_title(name, paths):
    assert select(files=(name,)) == paths


@pytest.mark.parametrize(
    ("folder", "count"),
    [
        ("people", 3),
        ("People/", 3),
        ("old", 1),
        ("people/old", 1),
        ("archive", 1),
        ("peop", 0),
        ("leave.md", 0),
    ],
)
def test_a_folder_holds_what_lies_below_it_anywhere(folder, count):
    assert len(select(folders=(folder,))) == count


def test_a_document_of_the_first_day_matches_and_one_of_the_last_does_not():
    assert select(after="2024-01-01") == ["people/sick-leave.md", "archive/people/fees.htm"]
    assert select(before="2024-01-01") == ["leave.md"]
    assert select(after="2023-12-31", before="2024-01-01") == ["leave.md"]


def test_of_one_kind_any_matches_and_of_several_kinds_all_must():
    assert select(files=("leave.md", "fees")) == ["leave.md", "archive/people/fees.htm"]
    assert select(formats=("html", "pdf"), languages=("de",)) == ["people/old/Urlaub [alt].pdf"]
    assert select(languages=("en",), folders=("people",)) == ["people/sick-leave.md"]


# Exact words


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("annual leave", "The ANNUAL\n  leave is long"),
        ("don't", "we don’t know"),
        ("C++", "written in C++."),
        ("café", "the cafe\N{COMBINING ACUTE ACCENT} is open"),
    ],
)
def test_words_are_held_whatever_their_case_and_white_space(words, text):
    assert holds_words(text, words)


@pytest.mark.parametrize("text", ["annual leaves", "biannual leave", "annual sick leave", "leave annual"])
def test_words_are_held_whole_and_side_by_side(text):
    assert not holds_words(text, "annual leave")


@given(st.lists(VALUES, min_size=1, max_size=6), st.data())
def test_a_text_holds_every_stretch_of_its_own_words(words, data):
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first + 1, len(words)))

    assert holds_words("\n".join(words), " ".join(words[first:last]))
