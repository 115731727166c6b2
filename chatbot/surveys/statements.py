"""The words of an answer to a survey, a line at a time, each with what it quotes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chatbot.grounding import SourceSpan
from chatbot.prompting import Prompts
from chatbot.surveys.findings import Finding, SurveyFindings
from chatbot.surveys.register import find_file_day

MOST_OTHERS = 5
"""So many other documents are named that the question may mean."""
LONGEST_QUOTE_CHARACTERS = 300
"""A longer quote is cut where it is shown; its citation points at all of it."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Text to add to an answer; its last `cited` characters rest on `span`, where there is one."""

    text: str
    span: SourceSpan | None = None
    cited: int = 0


def write_survey(findings: SurveyFindings, prompts: Prompts) -> list[Statement]:
    """The answer: what was found, how much was read, and the documents or items; none of a stopped survey."""
    if findings.is_stopped:
        return []
    if findings.survey.kind == "outline_document":
        return list(write_outline(findings, prompts))
    if findings.total and not findings.searched:
        return [Statement(" ".join(write_nothing_left(findings, prompts)))]
    head = [write_head(findings, prompts), *write_coverage(findings, prompts)]
    statements = [Statement(" ".join(head)), *write_groups(findings, prompts)]
    gap, group = "\n\n", findings.shown[0].group if findings.shown else ""
    for finding in findings.shown:
        if finding.group != group or (finding.group == "near" and gap == "\n\n"):
            group, gap = finding.group, "\n\n"
            statements.append(Statement(f"\n\n{write_group_heading(finding, findings, prompts)}"))
        statements.append(write_finding(finding, findings, prompts, gap))
        gap = "\n"
    left = findings.count - len(findings.shown)
    if findings.shown and left:
        statements.append(Statement("\n\n" + prompts.survey_more.substitute(count=left)))
    return statements


def write_outline(findings: SurveyFindings, prompts: Prompts) -> Iterator[Statement]:
    """A document in its own words: its name, then a line for each of the sentences chosen from its parts."""
    record = findings.shown[0].record
    yield Statement(prompts.outline.substitute(title=" ".join(record.title.split()), path=record.path))
    gap = "\n\n"
    for finding in findings.shown:
        quote = shorten_quote(finding.span.text) if finding.span else ""
        part = " ".join(finding.part.split())
        line = (
            prompts.outline_part.substitute(part=part, quote=quote)
            if part
            else prompts.outline_sentence.substitute(quote=quote)
        )
        yield Statement(gap + line, finding.span, len(line))
        gap = "\n"
    if left := findings.count - len(findings.shown):
        yield Statement("\n\n" + prompts.survey_more.substitute(count=left))
    if findings.others:
        names = "; ".join(
            f"{' '.join(other.title.split())} ({other.path})" for other in findings.others[:MOST_OTHERS]
        )
        yield Statement("\n\n" + prompts.outline_others.substitute(names=names))


def write_nothing_left(findings: SurveyFindings, prompts: Prompts) -> Iterator[str]:
    """That the limits leave no document, and which might belong there all the same."""
    yield prompts.survey_none_left.substitute(total=findings.total, limits="; ".join(findings.limits))
    if findings.undated:
        yield prompts.survey_undated.substitute(count=findings.undated)


def write_head(findings: SurveyFindings, prompts: Prompts) -> str:
    """What was found, and how many."""
    survey = findings.survey
    count = findings.count - findings.near
    if survey.order:
        return write_order(findings, prompts)
    if findings.members:
        return prompts.survey_members.substitute(
            topic=survey.topic, count=findings.members, documents=findings.member_documents
        )
    if survey.kind in ("list_items", "list_members"):
        return prompts.survey_items.substitute(topic=survey.topic, count=count, documents=findings.documents)
    if survey.named:
        return prompts.survey_named.substitute(name=survey.named, count=count)
    if survey.kind == "count_pages" or not survey.topic:
        return prompts.survey_documents.substitute(count=count)
    return write_mentions(findings, prompts, count)


def write_mentions(findings: SurveyFindings, prompts: Prompts, count: int) -> str:
    """How many documents mention a topic, or do not."""
    survey = findings.survey
    if survey.is_negated:
        return prompts.survey_unmentioned.substitute(topic=survey.topic, count=count)
    if not count:
        return prompts.survey_nothing.substitute(topic=survey.topic)
    return prompts.survey_mentions.substitute(topic=survey.topic, count=count)


def write_order(findings: SurveyFindings, prompts: Prompts) -> str:
    """What documents are in order of, with what they have in common."""
    survey = findings.survey
    parts = []
    if survey.named:
        parts.append(prompts.survey_named.substitute(name=survey.named, count=findings.candidates))
    if survey.topic:
        parts.append(prompts.survey_mentions.substitute(topic=survey.topic, count=findings.candidates))
    if findings.count:
        ordered = prompts.survey_newest if survey.order == "newest" else prompts.survey_oldest
        dates = prompts.survey_file_dates if findings.uses_file_dates else prompts.survey_stated_dates
        parts += [ordered.substitute(count=findings.count), dates.substitute()]
    return " ".join(parts)


def write_coverage(findings: SurveyFindings, prompts: Prompts) -> Iterator[str]:
    """How much of the corpus was read, and what was not."""
    yield prompts.survey_coverage.substitute(count=findings.searched, total=findings.total)
    if findings.limits:
        yield prompts.survey_limits.substitute(limits="; ".join(findings.limits))
    if findings.undated:
        yield prompts.survey_undated.substitute(count=findings.undated)
    if findings.unread:
        yield prompts.survey_unread.substitute(count=findings.unread)


def write_groups(findings: SurveyFindings, prompts: Prompts) -> Iterator[Statement]:
    """A line for each language, folder or format."""
    gap = "\n\n"
    for name, count in findings.groups:
        line = (
            prompts.survey_group.substitute(name=name, count=count)
            if name
            else prompts.survey_ungrouped.substitute(count=count)
        )
        yield Statement(gap + line)
        gap = "\n"


def write_group_heading(finding: Finding, findings: SurveyFindings, prompts: Prompts) -> str:
    """What stands above the first finding of a group that is not the first."""
    topic = findings.survey.topic
    if finding.group == "near":
        return prompts.survey_near.substitute(topic=topic, count=findings.near)
    return prompts.survey_elsewhere.substitute(topic=topic, count=findings.count - findings.members)


def write_finding(finding: Finding, findings: SurveyFindings, prompts: Prompts, gap: str) -> Statement:
    """The line about a document or an item, which cites its quote."""
    record, span, survey = finding.record, finding.span, findings.survey
    place = {"title": " ".join(record.title.split()), "path": record.path}
    if survey.kind == "count_pages":
        line = (
            prompts.survey_pages.substitute(place, pages=record.pages)
            if record.pages
            else prompts.survey_unpaged.substitute(place)
        )
    elif survey.topic and span is not None and not survey.order and not finding.tells_nothing:
        line = prompts.survey_quote.substitute(place, quote=shorten_quote(span.text))
    elif findings.uses_file_dates:
        line = prompts.survey_filed_document.substitute(place, date=find_file_day(record))
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
