"""Sheets and questions that are easily misunderstood: computed rightly, or left to the ordinary path."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from chatbot.calculations import calculate
from chatbot.calculations.calculate import MOST_DOCUMENTS, Calculations, Calculator
from chatbot.calculations.statements import write_calculations
from chatbot.calculations.values import read_column
from chatbot.documents.reader import DocumentReader
from chatbot.types import NO_FILTERS, SearchFilters
from tests.bench import CORPUS, Bench
from tests.test_assistant import PROMPTS

Ask = Callable[..., Calculations | None]

SHEETS = {
    "branches.csv": "Branch,Number of employees\nNorth,20\nSouth,25\nWest,5\n",
    "novels.csv": "Novel,Author,Pages\nDune,Herbert,612\nEmma,Austen,474\nPersuasion,Austen,249\n",
    "regional.csv": "Year,Region,Turnover\n2023,Coast,10\n2023,Hills,20\n2024,Coast,40\n2024,Hills,50\n",
    "harvest.csv": "Year,Harvest\n2021,7\n2022,9\n2023,4\n",
    "invoices.csv": "Invoice number,Payer,Fee\n11,Zoe,100\n12,Yan,300\n13,Zoe,600\n",
    "firms.csv": "Firm,Profit (€ million)\nAlder,7\nBirch,2\nCedar,12\n",
    "masts.csv": "Mast,Height (m)\nTop,7\nMain,22\nFore,18\n",
    "loans.csv": "Loan,Borrower,Deposit\nA,Uma,5 or 6\nB,-,12 or so\nC,uma,7 or 8\nD,n/a,9?!\nE,Vic,new\n",
    "receipts.csv": "Receipt no,Buyer,Paid\n11,Ada,100\n12,Bob,300\n13,Cyd,600\n",
    "supplies.csv": "Supply,Expense,Stocked\nInk,$ 5,1\nPen,€ 6,7\nCap,£ 7,3\n",
    "weights.csv": "Parcel,Load,Fare\nRed,1.234,5\nBlue,2.500,6\nGreen,9.125,7\n",
}

HANDBOOK = """# Harbour Ferries: leave and pay

## Fertility treatment and carers

| Reason | Paid days a year |
| --- | --- |
| Patient | 6 |
| Partner | 3 |

## Bands for shore staff

| Band | Bottom | Top |
| --- | --- | --- |
| A | 23,850 | 24,900 |
| B | 25,100 | 27,300 |

## List of rest rooms, by port

| Where | Beds |
| --- | --- |
| Tolsay | 3 |
| Hask | 3 |
"""


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Asks a question of these sheets; None where it is left to the ordinary path."""
    with DocumentReader() as reader:
        bench = Bench(tmp_path_factory.mktemp("odd"), reader.read)
        for path, text in SHEETS.items():
            bench.write(path, text)
        bench.write("people/leave-and-pay.md", HANDBOOK)
        bench.ingest()
        calculator = Calculator(bench.library)

        def ask(question: str) -> Calculations | None:
            return calculator.calculate(question, corpus=CORPUS, filters=NO_FILTERS)

        yield ask
        bench.close()


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("How many employees are there in total?", "50"),
        ("What is the total number of employees?", "50"),
        ("What is the average number of employees?", "16.67"),
        ("Which branch has the highest number of employees?", "25"),
        ("How many branches have more than 10 employees?", "2"),
        ("How many pages are there in total?", "1,335"),
        ("What is the average turnover for Coast?", "25"),
        ("Which year has the highest harvest?", "9"),
        ("What is the total fee of all invoices?", "1,000"),
        ("How many years are in the regional table?", "2"),
        ("How many invoices are from Zoe or Yan?", "3"),
        ("What is the total paid for receipt 12?", "300"),
        ("How many borrowers are there?", "2"),
        ("How many masts have a height over 10?", "2"),
        ("What is the total profit?", "21"),
        ("What is the total fare?", "18"),
        ("How many employees does the North branch have?", "20"),  # the cell, not its row counted
        ("How many pages does Dune have?", "612"),
        ("How many bands are there?", "2"),
        ("How many rest rooms are there?", "2"),
    ],
)
def test_computes_what_such_columns_count(ask: Ask, question: str, value: str):
    """A "number of" things is an amount; blanks are no values; a label may name the rows."""
    found = ask(question)
    assert found is not None, "the question was not understood"
    assert found.results[0].outcome.value.split(" ")[0] == value


@pytest.mark.parametrize(
    "question",
    [
        "How many people work in the North branch?",
        "What is the average year in the regional table?",
        "What is the highest turnover of a year?",  # several rows are of one year
        "What is the total turnover for the year?",  # of which?
        "What is the total harvest for the year?",
        "What is the total fee per invoice?",
        "What should the total fee be?",
        "What is the total fee if Zoe?",
        "What is the total fee only for Zoe?",
        "How many invoices are from Zoe or over 500?",
        "What is the total turnover for Coast or 2024?",
        "Which firms have a profit over 5?",  # or over 5 million
        "How many deposits are there?",  # amounts that were not understood
        "What is the total load?",  # 1.234 may be a thousand
        "What is the average load of the parcels?",
        "Which parcels are over 6?",  # by load or fare?
        "Which supplies are over 6?",
        "What is the total of the receipts?",  # their numbers count nothing
        "How many days of leave do I have?",  # none of the rows is a day
        "How many leave days are there?",
        "How many staff are there?",  # the rows are bands
        "How many ferries do we have?",  # the document's title says nothing of its rows
        "How many ports are there?",
    ],
)
def test_leaves_alone_what_may_mean_something_else(ask: Ask, question: str):
    """No number is better than a wrong one."""
    assert ask(question) is None


def test_parts_a_sum_by_year(ask: Ask):
    """A year that leads a group is one, though it is a number."""
    found = ask("total turnover by year")
    assert found is not None
    groups = found.results[0].outcome.groups
    assert [(group.name, group.value) for group in groups] == [("2023", "30"), ("2024", "90")]


def test_rows_without_the_counted_value_are_told(ask: Ask):
    """Of five loans two name no borrower."""
    found = ask("How many borrowers are there?")
    assert found is not None
    assert (found.results[0].outcome.rows, found.results[0].outcome.without_value) == ((0, 2, 4), 2)


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (("12.50", "3.75"), ["12.50", "3.75"]),
        (("0.125", "1.250"), ["0.125", "1.250"]),
        (("1234.500", "1.250"), ["1234.500", "1.250"]),
        (("1.234.567", "1.250"), ["1234567", "1250"]),
        (("1.234,50", "1.250"), ["1234.50", "1250"]),
        (("1,234", "12"), ["1234", "12"]),
        (("1.234", "12"), None),
        (("1.234",), None),
    ],
)
def test_a_point_before_three_digits_is_read_only_where_its_meaning_is_sure(
    cells: tuple[str, ...], numbers: list[str] | None
):
    """The other cells of the column may say whether it parts thousands or decimals."""
    column = read_column(cells)
    assert (None if column.kind == "text" else [str(number) for number in column.numbers]) == numbers


def test_a_copy_is_cited_where_the_filter_lets_only_it_through(tmp_path):
    """Neither the rows nor what is said of them name a file outside the filter."""
    with DocumentReader() as reader:
        bench = Bench(tmp_path, reader.read)
        for path in ("aside/fees.csv", "kept/charges.csv"):
            bench.write(path, "Fee,Amount\nA,1\nB,5\n")
        bench.ingest()
        for folder, path in (("aside", "aside/fees.csv"), ("kept", "kept/charges.csv")):
            found = Calculator(bench.library).calculate(
                "What is the sum of the amount?", corpus=CORPUS, filters=SearchFilters(folders=(folder,))
            )
            text = "".join(statement.text for statement in write_calculations(found, PROMPTS))
            ids = {record.id for record in bench.library.list_documents(CORPUS) if record.path == path}
            assert path in text
            assert {passage.path for passage in found.passages} == {path}
            assert {row.passage.chunk.document_id for row in found.results[0].shown} == ids
            assert {hit.path for hit in found.trace.hits} == {path}
        bench.close()


def test_tables_of_the_documents_of_one_question_are_all_kept(tmp_path, monkeypatch):
    """A question that is asked again reads no table again."""
    reads: list[str] = []

    def read_tables(document):
        reads.append(document.record.path)
        return original(document)

    original = calculate.read_tables
    monkeypatch.setattr(calculate, "read_tables", read_tables)
    with DocumentReader() as reader:
        bench = Bench(tmp_path, reader.read)
        for number in range(MOST_DOCUMENTS):
            bench.write(f"fees{number}.csv", f"Fee,Amount\nA,1\nB,{number}\n")
        bench.ingest()
        calculator = Calculator(bench.library)
        for _ in range(2):
            calculator.calculate("What is the sum of the amount?", corpus=CORPUS, filters=NO_FILTERS)
        bench.close()
    assert len(reads) == MOST_DOCUMENTS


def test_several_questions_may_read_tables_at_once(tmp_path, monkeypatch):
    """Threads that fill and empty the kept tables together do not disturb each other."""
    monkeypatch.setattr(calculate, "_KEPT_DOCUMENTS", 2)
    with DocumentReader() as reader:
        bench = Bench(tmp_path, reader.read)
        bench.write("fees.csv", "Fee,Amount\nA,1\nB,5\n")
        bench.ingest()
        record = bench.library.list_documents(CORPUS)[0]
        document = bench.library.find_document(record.id)
        calculator = Calculator(bench.library)
        monkeypatch.setattr(calculator, "_library", type("Shelf", (), {"find_document": lambda *_: document}))
        monkeypatch.setattr(calculate, "read_tables", lambda _: [])
        before = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            with ThreadPoolExecutor(8) as pool:
                found = list(pool.map(calculator._read_tables, [str(n % 50) for n in range(20_000)]))
        finally:
            sys.setswitchinterval(before)
        bench.close()
    assert found == [[]] * 20_000
    assert len(calculator._tables) == 2
