"""A corpus of small sheets that are awkward in the ways that sheets of people are."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import date

import pytest

from chatbot.assistant import Assistant
from chatbot.calculations.calculate import Calculator
from chatbot.documents.reader import DocumentReader
from chatbot.types import NO_FILTERS, FinishedAnswer, SearchFilters
from tests.bench import CORPUS, Bench
from tests.test_assistant import make_assistant

ORDERS = """Order no,Customer,City,Ordered on,Quantity,Amount
1001,Acme,Berlin,2024-01-15,3,"1,200.50 €"
1002,Brook,Munich,2024-02-01,10,480.00 €
1003,Acme,Berlin,2024-02-20,1,99.99 €
1004,Cole,Hamburg,2023-12-30,7,
1005,Dean,Munich,2024-03-05,2,"1,000.00 €"
Total,,,,23,"2,780.49 €"
"""
STAFF = """Name\tCity\tDepartment\tAnnual salary (EUR)
Anna Schmidt\tBerlin\tSales\t52.000,00
Ben Vogt\tMunich\tSales\t48.500,50
Cora Lang\tBerlin\tEngineering\t71.000,00
Dirk Ott\tHamburg\tEngineering\t-
Eva Roth\tBerlin\tNot assigned\t39.900,25
"""
BUDGET = """# Budget

Money for the year.

| Team | Cost | Share |
| --- | --- | --- |
| North | (200) | 12.5% |
| South | 1'300 | 37.5% |
| West | 400 | 50% |
| | 1'500 | 100% |
"""
CONTACTS = """First Name,Last Name,Firm,Phone,Email
Grace,Hopper,Nautic,0151 23,grace@nautic.example
Alan,Kay,Dyna,0151 24,alan@dyna.example
"""
OLDER_CONTACTS = """First Name,Last Name,Phone,Email
Grace,Hopper,0151 99,grace@nautic.example
Mary,Shaw,0151 98,mary@nautic.example
"""
EXPENSES = """<html><body><h1>Expenses</h1><table>
<tr><th>Item</th><th>Price</th><th>Currency</th></tr>
<tr><td>Pens</td><td>$ 12</td><td>USD</td></tr>
<tr><td>Paper</td><td>£ 5</td><td>GBP</td></tr>
<tr><td>Ink</td><td>€ 9</td><td>EUR</td></tr></table></body></html>"""


def make_stock() -> bytes:
    """A workbook with a title, a blank row among its rows, a formula's value, subtotals and a percentage."""
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.title = "Stock"
    rows = [
        ["Product", "Warehouse", "Units", "Weight", "Last count"],
        ["Bolt", "East", 1200, 0.5, date(2024, 5, 1)],
        ["Nut", "East", 800, 0.25, date(2024, 6, 1)],
        ["East total", None, 2000, None, None],
        ["Gear", "West", 40, 12, date(2024, 4, 1)],
        ["Wheel", "West", 60, 30, date(2024, 7, 1)],
        ["West total", None, 100, None, None],
        ["Grand total", None, 2100, None, None],
    ]
    for row in rows:
        sheet.append(row)
    for cell in sheet["D"][1:]:
        cell.number_format = '0.00 "kg"'
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The library over these sheets."""
    with DocumentReader() as reader:
        bench = Bench(tmp_path_factory.mktemp("sheets"), reader.read)
        bench.write("orders.csv", ORDERS)
        bench.write("staff.tsv", STAFF)
        bench.write("budget.md", BUDGET)
        bench.write("expenses.html", EXPENSES)
        bench.write("stock.xlsx", make_stock())
        bench.write("contacts.csv", CONTACTS)
        bench.write("older.csv", OLDER_CONTACTS)
        bench.write("note.txt", "Staff work in Berlin and Munich. The average salary is a secret.")
        report = bench.ingest()
        assert [outcome for outcome in report.outcomes if outcome.result == "failed"] == []
        yield bench
        bench.close()


@pytest.fixture(scope="module")
def assistant(bench: Bench) -> Assistant:
    """An assistant that can compute; its model says nothing."""
    from dataclasses import replace

    return replace(make_assistant(), calculate=Calculator(bench.library).calculate)


@pytest.fixture(scope="module")
def answer(assistant: Assistant) -> Callable[[str], FinishedAnswer | None]:
    """Asks a question; None where it is left to the ordinary path."""

    def ask(question: str, filters: SearchFilters = NO_FILTERS) -> FinishedAnswer | None:
        told = assistant.answer_without_model(question, question, corpus=CORPUS, filters=filters, started=0.0)
        return told.finish() if told else None

    return ask
