"""What the answers to all questions add up to: retrieval, answers, citations, abstention, seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chatbot.evaluation.metrics import (
    combine_f1,
    estimate_interval,
    is_right,
    measure_f1,
    measure_recall,
    measure_reciprocal_rank,
    summarize_seconds,
    take_mean,
)
from chatbot.evaluation.run import QuestionResult

ReadSource = Callable[[str], str | None]
"""The text of a document by its id."""
Values = Mapping[str, Sequence[float]]
"""For each figure what every question (or citation) contributes to it."""


def summarize(results: Sequence[QuestionResult], read_source: ReadSource) -> dict[str, Any]:
    """The report: retrieval, answers, citations, abstention, seconds, simpler ways, and 95 % intervals."""
    answered = [(result.question, result.answer) for result in results if result.answer is not None]
    answers = list_answer_values(
        [
            (answer.text, answer.short_answer, question.answers)
            for question, answer in answered
            if question.answerable
        ]
    )
    citations = list_citation_values(results, read_source)
    abstention = list_abstention_values(
        [(not answer.found, question.answerable) for question, answer in answered]
    )
    simple = list_baseline_values(results)
    asked = len(answers["right"])
    short = len(answers["short_right"]) / asked if asked else None
    return {
        "retrieval": summarize_retrieval(results),
        "answers": take_means(answers) | {"short": short, "n": asked},
        "citations": take_means(citations) | {"n": len(citations["exist"])},
        "abstention": summarize_abstention(abstention),
        "seconds": {
            "first_word": summarize_seconds([answer.timings.first_word for _, answer in answered]),
            "answer": summarize_seconds([answer.timings.total for _, answer in answered]),
        },
        **{name: summarize_baseline(values) for name, values in simple.items()},
        "intervals": {
            group: {name: estimate_interval(own) for name, own in values.items() if own}
            for group, values in (
                ("answers", answers),
                ("citations", citations),
                ("abstention", abstention),
                *simple.items(),
            )
        },
    }


def list_baseline_values(results: Sequence[QuestionResult]) -> dict[str, Values]:
    """For each simpler way of answering what every question that was answered in it contributes."""
    ways: dict[str, Values] = {}
    for name in dict.fromkeys(name for result in results for name in result.baselines):
        made = [(result.question, result.baselines[name]) for result in results if name in result.baselines]
        answers = list_answer_values(
            [(text or "", "", question.answers) for question, text in made if question.answerable]
        )
        abstention = list_abstention_values([(text is None, question.answerable) for question, text in made])
        ways[name] = {"right": answers["right"], "f1": answers["f1"], **abstention}
    return ways


def summarize_baseline(values: Values) -> dict[str, float | None]:
    """How many answers of a simpler way are right, their F1, and the F1 of declining."""
    means = take_means(values)
    declined = combine_f1(means["precision"], means["recall"])
    return {"right": means["right"], "f1": means["f1"], "declined": declined, "n": len(values["right"])}


def summarize_abstention(values: Values) -> dict[str, float | None]:
    """Precision, recall and F1 of declining."""
    means = take_means(values)
    return means | {"f1": combine_f1(means["precision"], means["recall"])}


def take_means(values: Values) -> dict[str, float | None]:
    """The mean of each figure."""
    return {name: take_mean(own) for name, own in values.items()}


def summarize_retrieval(results: Sequence[QuestionResult], way: str = "") -> dict[str, float | None]:
    """Recall at 1, 5 and 10, how often all gold is among the first 10, and mean reciprocal rank.

    Over answerable questions with a known place.

    :param way: one way of searching alone; both together when empty.
    """
    known = [
        (item.found_alone[way] if way else item.found, item.question.gold)
        for item in results
        if item.question.answerable and item.question.gold
    ]
    report = {
        f"recall@{k}": take_mean([measure_recall(found, gold, k) for found, gold in known])
        for k in (1, 5, 10)
    }
    complete = [float(measure_recall(found, gold, 10) == 1.0) for found, gold in known]
    ranks = [measure_reciprocal_rank(found, gold) for found, gold in known]
    return report | {"all@10": take_mean(complete), "mrr": take_mean(ranks), "n": len(known)}


def summarize_spelling(results: Sequence[QuestionResult]) -> dict[str, float | None]:
    """Of the words misspelt on purpose, the shares that were mended, made another word, and left alone.

    `needless` counts corrections of other words, for each question.
    """
    fates = [judge_slip(result) for result in results if result.question.slip]
    needless = [
        float(sum(correction.word != get_typed(result) for correction in result.trace.corrections))
        for result in results
    ]
    shares = {fate: take_mean([float(item == fate) for item in fates]) for fate in ("right", "wrong", "left")}
    return shares | {"needless": take_mean(needless), "n": len(fates)}


def get_typed(result: QuestionResult) -> str | None:
    """What was typed for the word that was misspelt on purpose."""
    return result.question.slip.typed if result.question.slip else None


def judge_slip(result: QuestionResult) -> str:
    """Whether the slip in a question was mended `right`, `wrong`, or the word `left` alone."""
    slip = result.question.slip
    for correction in result.trace.corrections:
        if slip and correction.word == slip.typed:
            return "right" if correction.replacement.lower() == slip.word.lower() else "wrong"
    return "left"


def list_answer_values(answers: Sequence[tuple[str, str, Sequence[str]]]) -> Values:
    """What each answer to an answerable question is worth, given with its short answer and the gold answers.

    `right`: it holds the gold words. `f1`: the token F1 of the short answer or, without one, of all.
    `short_right`: of the short answers, those that hold the gold words.
    """
    return {
        "right": [float(is_right(text, gold)) for text, _, gold in answers],
        "f1": [measure_f1(short or text, gold) for text, short, gold in answers],
        "short_right": [float(is_right(short, gold)) for _, short, gold in answers if short],
    }


def list_citation_values(results: Sequence[QuestionResult], read_source: ReadSource) -> Values:
    """What each citation is worth.

    `exist`: the quoted words stand where the citation says. `support`: of the citations in answers
    to answerable questions, those whose passage holds a gold answer; `gold`: those of a document where the
    answer is known to stand. Lists of what the whole corpus holds count for neither: each of their lines
    is an answer of its own, and only one of them is known. `reached`: the share of these documents that an
    answer cites. `cited`: the share of an answer's sentences with a citation.
    """
    values: dict[str, list[float]] = {"exist": [], "support": [], "gold": [], "reached": [], "cited": []}
    for result in results:
        answer, question = result.answer, result.question
        if answer is None or not answer.found:
            continue
        passages = {passage.number: passage for passage in answer.passages}
        is_list = answer.best_evidence == 0
        cited: set[str] = set()
        for citation in answer.citations:
            source = read_source(citation.document_id) or ""
            values["exist"].append(
                float(source[citation.source_start : citation.source_end] == citation.quote)
            )
            passage = passages[citation.passage_number]
            paths = {passage.path, *(place.path for place in passage.also_in)}
            cited |= paths
            if question.answerable and question.answers and not is_list:
                values["support"].append(float(is_right(passage.text, question.answers)))
            if question.answerable and question.gold and not is_list:
                values["gold"].append(float(bool(paths & set(question.gold))))
        if question.answerable and question.gold:
            values["reached"].append(len(cited & set(question.gold)) / len(set(question.gold)))
        sentences = len(answer.citations) + len(answer.unsupported)
        values["cited"].append(len(answer.citations) / sentences if sentences else 0.0)
    return values


def list_abstention_values(decisions: Sequence[tuple[bool, bool]]) -> Values:
    """What each decision to decline is worth, given with whether the question can be answered.

    `precision`: of what was declined, what cannot be answered. `recall`: of the latter, what was declined.
    """
    return {
        "precision": [float(not answerable) for declined, answerable in decisions if declined],
        "recall": [float(declined) for declined, answerable in decisions if not answerable],
    }
