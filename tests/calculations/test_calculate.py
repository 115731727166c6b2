"""Questions that are computed from sheets, and those that are left alone."""

from __future__ import annotations

import pytest

from chatbot.types import SearchFilters
from tests.bench import CORPUS, Bench

SALARY = "Annual salary (EUR)"
COMPUTED = {
    "What is the total amount of all orders?": "2,780.49 € – sum of Amount (all rows)",
    "total of Amount for Berlin": "1,300.49 € – sum of Amount (City: Berlin)",
    "Sum of the amount for Berlin or Munich": "2,780.49 € – sum of Amount (City: Berlin or Munich)",
    "How many orders are over 500?": "2 (Amount over 500)",
    "Which orders are over 500?": "2 (Amount over 500)",
    "Which orders have a quantity of at least 7?": "2 (Quantity at least 7)",
    "How many orders were made in February 2024?": "2 (Ordered on from 2024-02-01 and before 2024-03-01)",
    "Which orders are from before 2024?": "1 (Ordered on before 2024-01-01)",
    "How many orders are from Munich?": "2 (City: Munich)",
    "What is the highest amount?": "1,200.50 € – highest of Amount (all rows)",
    "Which order has the lowest amount?": "99.99 € – lowest of Amount (all rows)",
    "What is the largest order from Munich?": "1,000.00 € – highest of Amount (City: Munich)",
    "Total amount by city": "sum of Amount by City (all rows):",
    "How many customers are there?": "4 different values of Customer (all rows)",
    "How many staff work in Berlin?": "3 (City: Berlin)",
    "Who works in Berlin?": "3 (City: Berlin)",
    "Who has the highest salary?": f"71,000.00 – highest of {SALARY} (all rows)",
    "Who earns the lowest annual salary in Berlin?": f"39,900.25 – lowest of {SALARY} (City: Berlin)",
    "What is the mean salary in department Sales?": f"50,250.25 – average of {SALARY} (Department: Sales)",
    "What is the median salary?": f"50,250.25 – median of {SALARY} (all rows)",
    "How many staff have a salary between 45,000 and 60k?": f"2 ({SALARY} between 45,000 and 60k)",
    "How many staff are not assigned?": "1 (Department: Not assigned)",
    "What is the sum of the cost?": "1,500 – sum of Cost (all rows)",
    "Which team has the highest share?": "50.0% – highest of Share (all rows)",
    "What is the total number of units in stock?": "2,100 – sum of Units (all rows)",
    "Total units in the East warehouse": "2,000 – sum of Units (Warehouse: East)",
    "How many units are there in total?": "2,100 – sum of Units (all rows)",
    "What is the amount of order 1003?": "99.99 € – Amount (Order no: 1003)",
    "Which city does Dirk Ott work in?": "Hamburg – City (Name: Dirk Ott)",
    "What is the department of Eva Roth?": "Not assigned – Department (Name: Eva Roth)",
    "What is the annual salary of Ben Vogt?": f"48.500,50 – {SALARY} (Name: Ben Vogt)",
    "Which firm does Alan Kay work for?": "Dyna – Firm (First Name: Alan; Last Name: Kay)",
    "What is Alan Kay's phone number?": "0151 24 – Phone (First Name: Alan; Last Name: Kay)",
    "What is the heaviest product?": "30.00 kg – highest of Weight (all rows)",
    "Which product has the latest last count?": "2024-07-01 – highest of Last count (all rows)",
    "Top 2 products by units": "1,200 – highest of Units (all rows)",
}
LEFT_ALONE = [
    "What is the average salary of a nurse?",
    "How many staff do not work in Berlin?",
    "What is the total price?",  # of three currencies
    "How many days of leave do staff get?",
    "How many orders are from Madrid?",
    "Which customer has the highest amount?",  # one has two rows
    "What is the amount for Acme?",  # it has two
    "What is the salary of Dirk Ott?",  # his cell is empty
    "What is the salary of Dirk Miller?",
    "What is the city and the department of Eva Roth?",
    "How do I place an order?",
    "Who is Anna?",
    "What is the highest average salary?",
    "Who approves orders over 500?",
    "How many units are in the East warehouse and who counts them?",
    "What is the total amount minus the quantity?",
    "Which documents mention orders?",
    "",
]


@pytest.mark.parametrize(("question", "expected"), list(COMPUTED.items()))
def test_computes_from_the_rows_of_the_right_table(answer, question: str, expected: str):
    """What came out, over which column and which rows, stands in the first line."""
    finished = answer(question)
    assert finished is not None, "the question was not understood"
    assert finished.text.split("\n")[0].rstrip(".") == expected
    assert finished.found


@pytest.mark.parametrize("question", LEFT_ALONE)
def test_leaves_what_it_does_not_wholly_understand_to_the_ordinary_path(answer, question: str):
    """One word that names nothing in the table, and nothing is computed."""
    assert answer(question) is None


def test_shows_each_row_with_a_citation_of_its_own_characters(answer, bench: Bench):
    """Every row that was counted is quoted as it stands in the document."""
    finished = answer("total of Amount for Berlin")
    texts = {
        record.id: bench.library.find_document(record.id).text
        for record in bench.library.list_documents(CORPUS)
    }
    assert [citation.quote.split(" | ")[0] for citation in finished.citations] == ["1001", "1003"]
    for citation in finished.citations:
        assert texts[citation.document_id][citation.source_start : citation.source_end] == citation.quote
        shown = finished.text[citation.answer_start : citation.answer_end]
        assert citation.quote in shown
    assert "1,200.50 + 99.99 = 1,300.49 €" in finished.text
    assert "not by a language model" in finished.text


def test_never_counts_a_total_row(answer):
    """Labelled totals, subtotals and a last row without a label are named as left out."""
    assert (
        "Not counted, because it sums up others: “Total | 23 | 2,780.49 €”"
        in answer("What is the total amount of all orders?").text
    )
    assert "1'500 | 100%" in answer("What is the sum of the cost?").text
    assert "East total" in answer("How many units are there in total?").text


def test_says_how_many_rows_have_no_value(answer):
    """Blank cells are no zeros."""
    finished = answer("What is the average amount of the orders?")
    assert finished.text.startswith("695.12 € – average of Amount")
    assert "Rows without a value there, not counted: 1." in finished.text


def test_names_the_row_of_an_extreme(answer):
    """Whoever has the highest value is in the row that is quoted."""
    finished = answer("Who has the highest salary?")
    assert [citation.quote for citation in finished.citations] == [
        "Cora Lang | Berlin | Engineering | 71.000,00"
    ]


def test_parts_a_sum_by_the_values_of_a_column(answer):
    """Each value has its line."""
    lines = answer("Total amount by city").text.split("\n")
    assert "- Berlin: 1,300.49 € (rows: 2)" in lines
    assert "- Munich: 1,480.00 € (rows: 2)" in lines
    assert not any(line.startswith("- Hamburg:") for line in lines), "it has no amount"


def test_a_filter_limits_the_documents_that_are_looked_at(answer):
    """What is filtered away is not computed from."""
    assert answer("How many staff work in Berlin?", SearchFilters(formats=("csv",))) is None
    assert answer("How many staff work in Berlin?", SearchFilters(formats=("tsv",))) is not None


def test_a_changed_sheet_is_computed_anew(tmp_path, assistant):
    """Tables that are kept in memory belong to one state of their file."""
    from chatbot.calculations.calculate import Calculator
    from chatbot.documents.reader import DocumentReader
    from chatbot.types import NO_FILTERS

    with DocumentReader() as reader:
        bench = Bench(tmp_path, reader.read)
        calculator = Calculator(bench.library)
        values = []
        for second in (5, 7):
            bench.write("fees.csv", f"Fee,Amount\nA,1\nB,{second}\n")
            bench.ingest()
            found = calculator.calculate("What is the sum of the amount?", corpus=CORPUS, filters=NO_FILTERS)
            values.append(found.results[0].outcome.value)
        bench.close()
    assert values == ["6", "8"]


def test_a_cell_that_several_tables_agree_on_is_told_once(answer):
    told = answer("What is the e-mail address of Grace Hopper?")

    assert told.text.count("grace@nautic.example – Email (First Name: Grace; Last Name: Hopper)") == 1
    assert len({citation.document_id for citation in told.citations}) == 1


def test_tables_that_differ_are_both_told(answer):
    told = answer("What is the phone number of Grace Hopper?")

    assert "0151 23 – Phone" in told.text
    assert "0151 99 – Phone" in told.text
