"""The words of a computed answer: what came out, of which rows it was computed, and those rows."""

from __future__ import annotations

from collections.abc import Iterator

from chatbot.calculations.binding import Plan
from chatbot.calculations.calculate import Calculation, Calculations, ShownRow
from chatbot.calculations.computing import Outcome
from chatbot.grounding import make_source_span
from chatbot.prompting import Prompts
from chatbot.surveys.statements import Statement, shorten_quote

MOST_TERMS = 12
"""A longer sum is not written out."""


def write_calculations(calculations: Calculations, prompts: Prompts) -> list[Statement]:
    """The answer of each table, one below the other."""
    statements: list[Statement] = []
    for calculation in calculations.results:
        gap = "\n\n" if statements else ""
        statements += write_calculation(calculation, prompts, gap)
    return statements


def write_calculation(calculation: Calculation, prompts: Prompts, gap: str) -> Iterator[Statement]:
    """The result, how it was computed, and its rows with their citations."""
    outcome = calculation.outcome
    yield Statement(gap + write_result(outcome, prompts))
    yield Statement("\n\n" + " ".join(write_basis(outcome, prompts)))
    for number, group in enumerate(outcome.groups):
        line = prompts.calculation_group.substitute(name=group.name, value=group.value, count=group.rows)
        yield Statement(("\n" if number else "\n\n") + line)
    if not calculation.shown:
        return
    header = prompts.calculation_columns.substitute(columns=outcome.plan.table.header)
    yield Statement("\n\n" + header)
    for shown in calculation.shown:
        yield write_row(shown, outcome.plan, prompts)
    left = len(outcome.rows) - len(calculation.shown)
    if left:
        yield Statement("\n" + prompts.calculation_more.substitute(count=left))


def write_result(outcome: Outcome, prompts: Prompts) -> str:
    """What came out, in one line."""
    plan = outcome.plan
    rows = "; ".join(condition.words for condition in plan.conditions) or "all rows"
    if not outcome.value or (plan.operation == "list" and not outcome.rows):
        return prompts.calculation_nothing.substitute(rows=rows)
    if outcome.groups:
        by, operation = plan.table.names[plan.group or 0], name_operation(plan)
        return prompts.calculation_groups.substitute(operation=operation, by=by, rows=rows)
    if plan.distinct is not None:
        column = plan.table.names[plan.distinct]
        return prompts.calculation_distinct.substitute(column=column, rows=rows, value=outcome.value)
    if plan.measure is None:
        return prompts.calculation_count.substitute(rows=rows, value=f"{len(outcome.rows):,}")
    is_cell = plan.operation == "lookup" or (plan.operation == "sum" and len(outcome.rows) == 1)
    operation = plan.table.names[plan.measure] if is_cell else name_operation(plan)
    return prompts.calculation_value.substitute(operation=operation, rows=rows, value=outcome.value)


def name_operation(plan: Plan) -> str:
    """What is computed, such as "sum of Amount"."""
    names = {"count": "number of rows", "maximum": "highest", "minimum": "lowest"}
    name = names.get(plan.operation, plan.operation)
    return name if plan.measure is None else f"{name} of {plan.table.names[plan.measure]}"


def write_basis(outcome: Outcome, prompts: Prompts) -> Iterator[str]:
    """Which table it was computed from, of how many rows, and what was left out."""
    table = outcome.plan.table
    yield prompts.calculation_basis.substitute(
        count=f"{len(outcome.rows):,}", total=f"{len(table.rows):,}", table=table.name, path=table.record.path
    )
    if 1 < len(outcome.terms) <= MOST_TERMS and outcome.plan.operation == "sum":
        yield prompts.calculation_terms.substitute(terms=" + ".join(outcome.terms), value=outcome.value)
    if 1 < len(outcome.terms) <= MOST_TERMS and outcome.plan.operation == "average":
        yield prompts.calculation_terms.substitute(
            terms=f"({' + '.join(outcome.terms)}) / {len(outcome.terms)}", value=outcome.value
        )
    if outcome.without_value:
        yield prompts.calculation_blank.substitute(count=outcome.without_value)
    for row in table.totals[:2]:
        text = " | ".join(cell for cell in row.cells if cell)
        yield prompts.calculation_total_row.substitute(row=shorten_quote(text))


def write_row(shown: ShownRow, plan: Plan, prompts: Prompts) -> Statement:
    """A row of the table, which is its own citation."""
    chunk = shown.passage.chunk
    start, end = shown.row.start - chunk.start, min(shown.row.end, chunk.end) - chunk.start
    span = make_source_span(shown.passage, start, end, table_header=plan.table.header)
    text, number = shorten_quote(span.text), shown.row.number
    line = (
        prompts.calculation_numbered_row.substitute(row=text, number=number)
        if number
        else prompts.calculation_row.substitute(row=text)
    )
    return Statement("\n" + line, span, len(line))
