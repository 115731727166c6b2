import threading

import numpy as np
import pytest

from chatbot.embedding import compute_fingerprint, load_embedder, pools_mean
from chatbot.errors import ModelError

pytestmark = pytest.mark.models

TEXTS = ["The ferry leaves at noon.", "word " * 200, "", "漢字", "A berth costs 12 marks a night."]


def test_vectors_have_length_one(minilm):
    vectors = minilm.embed_documents(TEXTS)

    assert vectors.shape == (5, 384)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-3)
    assert vectors.dtype == np.float32


def test_sentences_are_read_with_their_passage(minilm):
    passage = "The ferry to Tolsay leaves at noon. It costs 12 marks."
    other = "A night in the hostel is cheap. It costs 12 marks."
    found = minilm.embed_passages([passage, other, "word"], [[(0, 35), (36, 54)], [(32, 50)], []])

    assert [part.shape for part in found.spans] == [(2, 384), (1, 384), (0, 384)]
    assert np.linalg.norm(found.spans[0], axis=1) == pytest.approx(1, abs=1e-3)
    price = minilm.embed_query("How much is the ferry?")
    assert found.spans[0][1] @ price > found.spans[1][0] @ price + 0.1


def test_passages_have_the_same_vectors_with_and_without_their_sentences(minilm):
    texts = [text for text in TEXTS if text]
    found = minilm.embed_passages(texts, [[(0, len(text))] for text in texts])

    for whole, alone, [span] in zip(found.whole, minilm.embed_documents(texts), found.spans, strict=True):
        assert whole @ alone > 0.999
        assert whole @ span > 0.8


def test_a_stretch_without_a_token_has_the_vector_of_its_text(minilm):
    found = minilm.embed_passages(["noon   dusk"], [[(5, 6)]])

    assert found.spans[0][0] == pytest.approx(found.whole[0])


def test_a_model_that_does_not_pool_the_mean_reads_stretches_alone(minilm, monkeypatch):
    monkeypatch.setattr(minilm, "_pools_mean", False)
    found = minilm.embed_passages(["Noon. Dusk.", "Dawn."], [[(0, 5), (6, 11)], []])

    assert found.spans[0][1] @ minilm.embed_documents(["Dusk."])[0] > 0.999
    assert [part.shape for part in found.spans] == [(2, 384), (0, 384)]


@pytest.mark.parametrize("name", ["document", "passage", "corpus", "default"])
def test_a_model_that_puts_words_before_its_texts_reads_stretches_alone(minilm, monkeypatch, name):
    model = minilm._model
    assert pools_mean(model)
    monkeypatch.setattr(model, "prompts", model.prompts | {name: "passage: "})
    monkeypatch.setattr(model, "default_prompt_name", "default" if name == "default" else None)

    assert not pools_mean(model)


def test_no_text_gives_no_vector(minilm):
    assert minilm.embed_passages([], []).spans == ()
    assert minilm.embed_documents([]).shape == (0, 384)


def test_a_text_that_would_be_cut_is_refused(minilm):
    with pytest.raises(ValueError, match="tokens"):
        minilm.embed_documents(["word " * 300])


def test_a_long_question_is_embedded_in_parts(minilm):
    vector = minilm.embed_query("When does the ferry leave? " * 100)

    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-3)
    assert float(vector @ minilm.embed_query("When does the ferry leave?")) > 0.5


@pytest.mark.parametrize("question", ["", " ", "x" * 5000, "\x00", "🏳️‍🌈"])
def test_any_question_has_a_vector(minilm, question):
    assert np.isfinite(minilm.embed_query(question)).all()


def test_tokens_count_the_special_ones_and_are_never_cut(minilm):
    assert minilm.count_tokens(["", "word", "word " * 1000]) == [2, 3, 1002]


def test_threads_get_what_one_alone_gets(minilm):
    texts = [f"Sentence {number} " + "word " * (number % 50) for number in range(64)]
    alone = [minilm.count_tokens([text])[0] for text in texts]
    vectors = minilm.embed_documents(texts[:8])
    problems = []

    def work(seed):
        for step in range(40):
            index = (seed * 7 + step) % len(texts)
            if minilm.count_tokens([texts[index]])[0] != alone[index]:
                problems.append(index)
        if not np.allclose(minilm.embed_documents(texts[:8]), vectors, atol=1e-2):
            problems.append("vectors")

    threads = [threading.Thread(target=work, args=[seed]) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []


def test_the_fingerprint_changes_with_the_text_limit(minilm):
    model = minilm._model
    before = model.max_seq_length
    try:
        first = compute_fingerprint(model)
        model.max_seq_length = before - 1
        assert first != compute_fingerprint(model)
    finally:
        model.max_seq_length = before


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ModelError, match="could not be loaded"):
        load_embedder(tmp_path, offline=True)
