"""What is added up and what is counted: the name of a column of numbers wins, and no wrong sum is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from chatbot.calculations.calculate import Calculator
from chatbot.documents.reader import DocumentReader
from chatbot.types import NO_FILTERS, FinishedAnswer
from tests.bench import CORPUS, Bench
from tests.test_assistant import make_assistant

TABLES = {
    "staff.csv": """Name,Department,Office,Years of service,Phone,Phone lines,Hours per week
Anna Schmidt,Sales,Berlin,5,030 1234,2,40
Ben Vogt,Sales,Munich,3,089 5521,1,35
Cora Lang,Engineering,Berlin,9,030 1288,3,40
""",
    "price list.csv": """Article,Category,Unit price,Pack size,Discount
Desk lamp,Lighting,34.90,1,10%
Bulb,Lighting,3.50,10,0%
Desk,Furniture,349.00,1,15%
""",
    "inventory.csv": """Item,Warehouse,Quantity,Unit cost,Keys,Last counted
Lock,West,40,12.50,80,2024-04-01
Safe,West,6,240.00,12,2024-07-01
Cabinet,East,15,89.90,30,2024-03-15
""",
    "timetable.csv": """Train no,From,To,Duration (min),Stops
101,Bern,Zurich,58,2
201,Bern,Geneva,104,4
203,Bern,Geneva,104,4
""",
    "budget.csv": """Month,Headcount,New staff,Rent,Travel
Jan 2024,20,1,5000,1200
Feb 2024,21,2,5000,900
Mar 2024,22,1,5200,0
Total,,,15200,2100
""",
    "invoices.csv": """Invoice no,Client,Gross,Paid
1,Acme,119.00,yes
2,Brook,238.00,no
3,Acme,476.00,yes
""",
}
COMPUTED = {
    "How many phone lines do we have?": "6 – sum of Phone lines (all rows)",
    "How many phone lines are there in Berlin?": "5 – sum of Phone lines (Office: Berlin)",
    "How many phone lines does Cora Lang have?": "3 – Phone lines (Name: Cora Lang)",
    "How many years of service does Anna Schmidt have?": "5 – Years of service (Name: Anna Schmidt)",
    "How many hours per week does Ben Vogt work?": "35 – Hours per week (Name: Ben Vogt)",
    "How many phones are there?": "3 (all rows)",
    "How many keys are there?": "122 – sum of Keys (all rows)",
    "How many keys are there in the West warehouse?": "92 – sum of Keys (Warehouse: West)",
    "Which item has the most keys?": "80 – highest of Keys (all rows)",
    "How many stops does train 101 have?": "2 – Stops (Train no: 101)",
    "How many trains are there?": "3 (all rows)",
    "What is the total rent?": "15,200 – sum of Rent (all rows)",
    "How many new staff are there in total?": "4 – sum of New staff (all rows)",
    "What is the average headcount?": "21 – average of Headcount (all rows)",
    "How many invoices are paid?": "2 (Paid: yes)",
    "What is the cheapest article?": "3.50 – lowest of Unit price (all rows)",
}
LEFT_ALONE = [
    "What is the total headcount?",  # of three months
    "How many headcount in total?",
    "What is the total discount?",  # percentages of different things
    "What is the total price of all lighting?",  # of one piece each
    "What is the total unit cost?",
    "What is the total value of the inventory?",  # would need a product
    "How many stops are there from Bern to Geneva?",  # two trains with as many
    "How many hours per week do staff work?",
    "How many invoices are unpaid?",
]


@pytest.fixture(scope="module")
def tell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], FinishedAnswer | None]]:
    """Asks a question about the tables; None where it is left to the ordinary path."""
    with DocumentReader() as reader:
        bench = Bench(tmp_path_factory.mktemp("tables"), reader.read)
        for name, text in TABLES.items():
            bench.write(name, text)
        bench.ingest()
        assistant = replace(make_assistant(), calculate=Calculator(bench.library).calculate)

        def ask(question: str) -> FinishedAnswer | None:
            told = assistant.answer_without_model(
                question, question, corpus=CORPUS, filters=NO_FILTERS, started=0.0
            )
            return told.finish() if told else None

        yield ask
        bench.close()


@pytest.mark.parametrize("question", COMPUTED)
def test_the_name_of_a_column_wins_over_counting_rows(tell, question: str):
    answer = tell(question)

    assert answer is not None
    assert answer.text.split("\n")[0] == COMPUTED[question] + "."


@pytest.mark.parametrize("question", LEFT_ALONE)
def test_what_means_nothing_when_it_is_added_up_is_left_alone(tell, question: str):
    assert tell(question) is None


def test_the_rows_of_a_computed_answer_are_told_and_cited_by_their_number(tell):
    """As a spreadsheet program numbers them: the names of the columns are row 1."""
    answer = tell("How many keys are there in the West warehouse?")

    assert "- Row 2: Lock" in answer.text
    assert "- Row 3: Safe" in answer.text
    assert [(item.rows.sheet, item.rows.first, item.rows.last) for item in answer.citations] == [
        ("", 2, 2),
        ("", 3, 3),
    ]
