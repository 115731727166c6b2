"""Which passages the reading model reads."""

from dataclasses import replace

import numpy as np

from chatbot.grounding import list_source_spans
from chatbot.passages_to_read import FEWEST, MOST, choose_passages, read_likeliest_passages
from chatbot.reading.reading import Reading
from tests.fakes import HashingEmbedder
from tests.makers import make_passage

QUESTION = "When does the ferry leave?"


def make_found(likeness):
    """Passages with a sentence each, as like the question as told, with the vectors of their sentences."""
    embedder = HashingEmbedder()
    asked = embedder.embed_query(QUESTION)
    other = np.roll(asked, 1) - asked * float(np.roll(asked, 1) @ asked)
    other /= np.linalg.norm(other)
    passages = [
        replace(make_passage("Boats depart daily at 9.", number=number, path=f"{number}.md"), similarity=0.5)
        for number in range(1, len(likeness) + 1)
    ]
    spans = list_source_spans(passages)
    known = {
        (span.passage.chunk.document_id, span.start, span.end): (
            likeness[span.passage.number - 1] * asked
            + (1 - likeness[span.passage.number - 1] ** 2) ** 0.5 * other
        ).astype(np.float32)
        for span in spans
    }
    return passages, spans, known, embedder


def choose(likeness):
    passages, spans, known, embedder = make_found(likeness)
    return [passage.number for passage in choose_passages(QUESTION, passages, spans, known, embedder)]


def test_passages_with_the_likeliest_sentences_are_read_in_their_order():
    assert choose([0.0, 0.1, 0.95, 0.0, 0.9]) == [3, 5]


def test_some_are_read_even_where_one_is_far_ahead():
    assert len(choose([0.0, 0.0, 1.0, 0.0])) == FEWEST


def test_no_more_than_a_few_are_read_however_alike():
    assert len(choose([0.8] * 8)) == MOST


def test_all_are_read_where_a_sentence_is_not_known():
    passages, spans, known, embedder = make_found([0.9, 0.8, 0.1, 0.0])
    known.popitem()

    assert choose_passages(QUESTION, passages, spans, known, embedder) == passages


def test_the_reading_knows_how_many_were_not_read():
    passages, spans, known, embedder = make_found([0.0, 0.1, 0.95, 0.0, 0.9])

    reading = read_likeliest_passages(lambda *_: Reading({}), QUESTION, passages, spans, known, embedder)

    assert reading.unread == 3
