"""The words of an answer to a survey, a line at a time, each with what it quotes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chatbot.grounding import SourceSpan
from chatbot.prompting import Prompts
from chatbot.surveys.wide_search import Finding, SurveyFindings

LONGEST_QUOTE_CHARACTERS = 300
"""A longer quote is cut where it is shown; its citation points at all of it."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Text to add to an answer; its last `cited` characters rest on `span`, where there is one."""

    text: str
    span: SourceSpan | None = None
    cited: int = 0


def write_survey(findings: SurveyFindings, prompts: Prompts) -> list[Statement]:
    """The answer: what was found, how much was read, and the documents or items."""
    head = [write_head(findings, prompts), *write_coverage(findings, prompts)]
    statements = [Statement(" ".join(head))]
    gap = "\n\n"
    near = [finding for finding in findings.shown if finding.is_near]
    for finding in findings.shown:
        if near and finding is near[0]:
            heading = prompts.survey_near.substitute(topic=findings.survey.topic, count=findings.near)
            statements.append(Statement(f"\n\n{heading}"))
            gap = "\n\n"
        statements.append(write_finding(finding, findings, prompts, gap))
        gap = "\n"
    left = findings.count - len(findings.shown)
    if findings.shown and left:
        statements.append(Statement("\n\n" + prompts.survey_more.substitute(count=left)))
    return statements


def write_head(findings: SurveyFindings, prompts: Prompts) -> str:
    """What was found, and how many."""
    survey = findings.survey
    count = findings.count - findings.near
    if survey.kind == "list_items":
        return prompts.survey_items.substitute(topic=survey.topic, count=count, documents=findings.documents)
    if survey.kind == "count_pages" or not survey.topic:
        return prompts.survey_documents.substitute(count=count)
    if not count:
        return prompts.survey_nothing.substitute(topic=survey.topic)
    return prompts.survey_mentions.substitute(topic=survey.topic, count=count)


def write_coverage(findings: SurveyFindings, prompts: Prompts) -> Iterator[str]:
    """How much of the corpus was read, and what was not."""
    yield prompts.survey_coverage.substitute(count=findings.searched, total=findings.total)
    if findings.limits:
        yield prompts.survey_limits.substitute(limits="; ".join(findings.limits))
    if findings.undated:
        yield prompts.survey_undated.substitute(count=findings.undated)
    if findings.unread:
        yield prompts.survey_unread.substitute(count=findings.unread)


def write_finding(finding: Finding, findings: SurveyFindings, prompts: Prompts, gap: str) -> Statement:
    """The line about a document or an item, which cites its quote."""
    record, span = finding.record, finding.span
    place = {"title": " ".join(record.title.split()), "path": record.path}
    if findings.survey.kind == "count_pages":
        line = (
            prompts.survey_pages.substitute(place, pages=record.pages)
            if record.pages
            else prompts.survey_unpaged.substitute(place)
        )
    elif findings.survey.topic and span is not None:
        line = prompts.survey_quote.substitute(place, quote=shorten_quote(span.text))
    elif record.date:
        line = prompts.survey_dated_document.substitute(place, date=record.date)
    else:
        line = prompts.survey_document.substitute(place)
    return Statement(gap + line, span, len(line))


def shorten_quote(text: str) -> str:
    """A quote on one line, cut between words where it is long."""
    line = " ".join(text.split())
    if len(line) <= LONGEST_QUOTE_CHARACTERS:
        return line
    return line[:LONGEST_QUOTE_CHARACTERS].rsplit(" ", 1)[0] + " …"
