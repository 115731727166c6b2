"""The same embedding model on OpenVINO and by sentence-transformers."""

import json
import shutil

import numpy as np
import pytest

from chatbot.graph_embedding import GraphEmbedder, batch_by_length, load_graph_embedder
from chatbot.models import packaged_embedder_folder

pytest.importorskip("openvino")

TEXTS = [
    "The ferry to Tolsay leaves at noon from the north quay, and again at six in the evening in summer.",
    "A berth costs 12 marks a night. Children under twelve pay nothing, and dogs travel free of charge.",
    "Full-time shore staff receive 27 days of annual leave a year; crew receive four days more.",
    "Report a lost ticket to the office within a week. " * 12,
]


@pytest.fixture(scope="module")
def graph_embedder() -> GraphEmbedder:
    embedder = load_graph_embedder(packaged_embedder_folder())
    assert embedder is not None
    return embedder


@pytest.fixture(scope="module")
def exact_vectors() -> np.ndarray:
    """What sentence-transformers computes in 32 bits."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(packaged_embedder_folder()), device="cpu", local_files_only=True)
    return model.encode(TEXTS, normalize_embeddings=True, show_progress_bar=False)


@pytest.mark.models
def test_vectors_are_those_of_sentence_transformers_in_32_bits(graph_embedder, exact_vectors):
    cosines = (graph_embedder.embed_documents(TEXTS) * exact_vectors).sum(axis=1)

    assert cosines.mean() >= 0.9999
    assert cosines.min() >= 0.9998


@pytest.mark.models
def test_a_library_of_either_engine_serves_both(graph_embedder, minilm):
    assert graph_embedder.fingerprint == minilm.fingerprint
    assert graph_embedder.max_tokens == minilm.max_tokens
    assert graph_embedder.count_tokens(["", "word " * 1000]) == minilm.count_tokens(["", "word " * 1000])


@pytest.mark.models
def test_sentences_are_read_with_their_passage_as_sentence_transformers_reads_them(graph_embedder, minilm):
    spans = [[(0, 30), (31, len(TEXTS[0]))], [], [(0, 10)], [(0, 49)]]
    ours, theirs = (embedder.embed_passages(TEXTS, spans) for embedder in (graph_embedder, minilm))

    for own, other in zip(ours.spans, theirs.spans, strict=True):
        assert own.shape == other.shape
        assert (own * other).sum(axis=1) == pytest.approx(1, abs=2e-3)
    assert (ours.whole * theirs.whole).sum(axis=1) == pytest.approx(1, abs=1e-3)


@pytest.mark.models
def test_a_text_has_the_same_vector_in_any_company(graph_embedder):
    together = graph_embedder.embed_documents([*TEXTS, "", "word " * 200])

    for text, vector in zip(TEXTS, together, strict=False):
        assert graph_embedder.embed_query(text) @ vector > 0.9998


@pytest.mark.models
def test_a_text_that_would_be_cut_is_refused_and_a_long_question_is_read_in_parts(graph_embedder):
    with pytest.raises(ValueError, match="tokens"):
        graph_embedder.embed_documents(["word " * 300])
    assert np.linalg.norm(graph_embedder.embed_query("When does the ferry leave? " * 100)) == pytest.approx(1)


@pytest.mark.models
def test_no_text_gives_no_vector(graph_embedder):
    assert graph_embedder.embed_documents([]).shape == (0, 384)
    assert graph_embedder.embed_passages([], []).spans == ()


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("config.json", {"model_type": "roberta"}),
        ("1_Pooling/config.json", {"pooling_mode_cls_token": True}),
        ("config_sentence_transformers.json", {"prompts": {"query": "query: "}}),
    ],
)
def test_a_model_of_another_kind_is_left_to_sentence_transformers(tmp_path, path, change):
    folder = tmp_path / "model"
    shutil.copytree(packaged_embedder_folder(), folder)
    settings = json.loads((folder / path).read_text())
    (folder / path).write_text(json.dumps(settings | change))

    assert load_graph_embedder(folder) is None


def test_batches_hold_every_text_once_and_keep_to_the_budget():
    lengths = [250, 3, 40, 256, 17, 90, 3, 256, 120]
    batches = list(batch_by_length(lengths, batch_tokens=512))

    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    assert max(len(batch) * max(lengths[row] for row in batch) for batch in batches) <= 512


def test_a_text_longer_than_the_budget_is_a_batch_of_its_own():
    assert list(batch_by_length([10, 900], batch_tokens=512)) == [[0], [1]]
