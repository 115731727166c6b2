import subprocess
import sys
from pathlib import Path

import pytest

from chatbot import build, cli, vectors
from chatbot.errors import ModelError
from chatbot.late_embedder import (
    EmbedderNote,
    LateEmbedder,
    describe_embedder,
    note_embedder,
    recall_embedder,
)
from chatbot.models import locate_embedder
from tests.fakes import HashingEmbedder

HEAVY = ("chromadb", "fastapi", "gradio", "openvino", "tokenizers", "torch", "transformers")
RUN_AND_LIST = """
import sys
from chatbot.cli import main
code = main(sys.argv[1:])
print("loaded:", *sorted({name.partition(".")[0] for name in sys.modules}))
raise SystemExit(code)
"""


@pytest.fixture
def documents(tmp_path, monkeypatch):
    """The folder of a corpus with one document."""
    folder = tmp_path / "corpora" / "notes" / "documents"
    folder.mkdir(parents=True)
    (folder / "ferry.md").write_text("# Ferry\n\nThe ferry leaves at noon.\n")
    monkeypatch.setenv("CHATBOT_CORPORA_FOLDER", str(tmp_path / "corpora"))
    return folder


@pytest.fixture
def loads(monkeypatch):
    """One entry for each time that an embedding model was loaded; it is a scripted one."""
    loads = []

    def load(location, *_):
        loads.append(location)
        return HashingEmbedder()

    monkeypatch.setattr(build, "load_embedder_of", load)
    return loads


@pytest.fixture
def openings(monkeypatch):
    """One entry for each time that the files of the vector index were opened."""
    openings = []
    connect = vectors._connect

    def note(folder):
        openings.append(folder)
        return connect(folder)

    monkeypatch.setattr(vectors, "_connect", note)
    return openings


def test_an_ingest_with_nothing_to_do_loads_no_model_and_opens_no_index(documents, loads, openings, capsys):
    assert cli.main(["ingest"]) == 0
    assert (len(loads), len(openings)) == (1, 1)

    for command in (["ingest"], ["ingest", "--retry"], ["ingest", "--dry-run"], ["jobs"], ["documents"]):
        assert cli.main(command) == 0
    assert (len(loads), len(openings)) == (1, 1)

    (documents / "dogs.md").write_text("# Dogs\n\nDogs wait outside.\n")
    capsys.readouterr()
    assert cli.main(["ingest", "--dry-run"]) == 0
    assert "dogs.md" in capsys.readouterr().out
    assert (len(loads), len(openings)) == (1, 1)
    assert cli.main(["ingest"]) == 0
    assert "added    dogs.md" in capsys.readouterr().out
    assert (len(loads), len(openings)) == (2, 2)
    assert cli.main(["search", "dogs outside"]) == 0
    assert "dogs.md" in capsys.readouterr().out


def test_a_deleted_document_leaves_library_and_index_without_a_model(documents, loads, openings, capsys):
    cli.main(["ingest"])
    (documents / "ferry.md").unlink()

    assert cli.main(["ingest"]) == 0
    assert (len(loads), len(openings)) == (1, 2)
    capsys.readouterr()
    assert cli.main(["search", "ferry noon"]) == 9
    assert "ferry.md" not in capsys.readouterr().out


def test_an_index_that_was_not_left_properly_is_mended_though_there_is_nothing_to_do(
    documents, loads, openings, tmp_path, capsys
):
    cli.main(["ingest"])
    (tmp_path / "data" / "vectors" / "being-written").touch()

    assert cli.main(["ingest"]) == 0

    assert (len(loads), len(openings)) == (1, 2)
    assert not (tmp_path / "data" / "vectors" / "being-written").exists()
    capsys.readouterr()
    assert cli.main(["search", "ferry noon"]) == 0
    assert "ferry.md" in capsys.readouterr().out


def test_an_ingest_with_nothing_to_do_imports_nothing_heavy(documents, tmp_path, monkeypatch):
    (documents / "ferry.md").unlink()
    data_folder = tmp_path / "data"
    note_embedder(HashingEmbedder(), Path(locate_embedder("all-minilm-l6-v2")), data_folder)

    command = [sys.executable, "-c", RUN_AND_LIST, "ingest"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert ran.returncode == 0, ran.stderr
    loaded = ran.stdout.rpartition("loaded:")[2].split()
    assert "chatbot" in loaded
    assert [name for name in HEAVY if name in loaded] == []


def test_a_note_holds_until_a_file_of_the_model_changes(tmp_path):
    model, data_folder = tmp_path / "model", tmp_path / "data"
    (model / "part").mkdir(parents=True)
    (model / "part" / "config.json").write_text("{}")
    assert recall_embedder(model, data_folder) is None

    note_embedder(HashingEmbedder(), model, data_folder)
    assert recall_embedder(model, data_folder) == describe_embedder(HashingEmbedder())
    assert recall_embedder(tmp_path / "other", data_folder) is None

    (model / "part" / "config.json").write_text('{"hidden_size": 8}')
    assert recall_embedder(model, data_folder) is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"MODEL": {}}', '{"MODEL": null}', '{"MODEL": {"files": 1}}']
)
def test_a_note_that_cannot_be_read_counts_as_none(tmp_path, text):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "embedders.json").write_text(text.replace("MODEL", str(tmp_path / "model")))

    assert recall_embedder(tmp_path / "model", tmp_path) is None


def test_a_model_that_is_not_as_noted_is_refused_before_anything_is_embedded():
    late = LateEmbedder(EmbedderNote("another", 64), HashingEmbedder)

    with pytest.raises(ModelError, match="another one than at the last start"):
        late.count_tokens(["noon"])


def test_a_late_model_does_what_the_model_does_and_is_loaded_once(loads):
    model = HashingEmbedder()
    late = LateEmbedder(describe_embedder(model), lambda: build.load_embedder_of("here"))

    assert (late.fingerprint, late.max_tokens) == (model.fingerprint, model.max_tokens)
    assert loads == []
    assert late.count_tokens(["the ferry"]) == model.count_tokens(["the ferry"])
    assert (late.embed_documents(["the ferry"]) == model.embed_documents(["the ferry"])).all()
    assert (late.embed_query("the ferry") == model.embed_query("the ferry")).all()
    whole = late.embed_passages(["the ferry"], [[(4, 9)]]).whole
    assert (whole == model.embed_passages(["the ferry"], [[(4, 9)]]).whole).all()
    assert late.knows_word("ferry") == model.knows_word("ferry")
    assert loads == ["here"]
