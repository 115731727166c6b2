import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from chatbot.documents.reader import DocumentReader
from chatbot.errors import CorpusError, LibraryError, LibraryInUse, ModelError, QuestionError
from chatbot.factories import Factories
from chatbot.ownership import claim_data_folder
from chatbot.prompting import load_prompts
from chatbot.service import Service
from chatbot.settings import load_settings
from chatbot.types import Message, SearchFilters
from tests.fakes import HashingEmbedder, ScriptedGenerator

PROMPTS = load_prompts(Path(__file__).parent.parent / "prompts")
FERRY = "# Ferry\n\nThe ferry leaves at noon and returns at dusk.\n"


def wait_for(condition: Callable[[], object], *, seconds: float = 60) -> None:
    """Return as soon as the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.01)


@pytest.fixture
def corpora(tmp_path):
    """A corpora folder with a corpus of one document, and an empty one."""
    (tmp_path / "corpora" / "notes" / "documents").mkdir(parents=True)
    (tmp_path / "corpora" / "empty").mkdir()
    (tmp_path / "corpora" / "notes" / "documents" / "ferry.md").write_text(FERRY)
    return tmp_path / "corpora"


@pytest.fixture
def make_service(tmp_path, corpora):
    """Makes services over the corpora, with real parts but the models."""
    services = []

    def make(*, make_embedder=None, make_generator=None, **settings) -> Service:
        values = {
            "corpora_folder": corpora,
            "corpus": "notes",
            "watch_seconds": 0,
            "evidence_floor": 0.0,
            "answer_style": "free",
        }
        factories = Factories(
            make_embedder=make_embedder or (lambda _: HashingEmbedder()),
            make_generator=make_generator
            or (lambda _: ScriptedGenerator("The ferry leaves at noon.", repeat=True)),
            reader=DocumentReader(),
        )
        services.append(Service(load_settings(**(values | settings)), PROMPTS, factories))
        return services[-1]

    yield make
    for service in services:
        service.close()


@pytest.fixture
def service(make_service):
    """A service that has read its documents."""
    service = make_service()
    service.start()
    service.wait_until_ready()
    wait_for(lambda: service.ingests.last_report("notes"))
    return service


def list_paths(service: Service) -> list[str]:
    return [record.path for record in service.catalogue.list_documents("notes")]


def test_a_question_is_answered_from_the_documents(service):
    answer = service.ask("When does the ferry leave?", corpus="notes").finish()

    assert answer.found
    assert "The ferry leaves at noon" in answer.text
    [citation] = answer.citations
    document = service.catalogue.get_document(citation.document_id)
    assert citation.quote == document.text[citation.source_start : citation.source_end]


def test_the_parts_are_awaited_one_by_one(make_service):
    gate = threading.Event()

    def make_embedder(report):
        report("half of it is there")
        gate.wait(10)
        return HashingEmbedder()

    service = make_service(make_embedder=make_embedder)
    before = service.status()
    service.start()
    wait_for(lambda: "half of it is there" in service.status().waiting_for)
    heard = []
    threading.Timer(0.1, gate.set).start()
    service.wait_until_ready(heard.append)

    assert {"waiting"} == {part.state for part in before.parts}
    assert {"ready"} == {part.state for part in service.status().parts}
    assert "half of it is there" in heard[0]
    assert service.status().waiting_for == ""


def test_nothing_is_asked_while_the_models_load(make_service):
    gate = threading.Event()
    service = make_service(
        make_embedder=lambda _: gate.wait(10) and HashingEmbedder(),
        make_generator=lambda _: gate.wait(10) and ScriptedGenerator(),
    )
    service.start()

    with pytest.raises(ModelError, match="still loading"):
        service.ask("When?", corpus="notes")
    with pytest.raises(ModelError, match="still loading"):
        service.search("When?", corpus="notes")
    gate.set()
    service.wait_until_ready()


def test_search_needs_no_language_model(make_service):
    service = make_service(make_generator=lambda _: pytest.fail("it was loaded"))
    service.start(generator=False, ingest=False)
    service.wait_until_ready()
    service.upkeep.ingest_now("notes", lambda _: None, lambda _: None)

    assert service.search("ferry", corpus="notes").passages[0].path == "ferry.md"


def test_a_search_is_narrowed_by_what_is_typed_and_what_is_chosen(make_service, corpora):
    documents = corpora / "notes" / "documents"
    (documents / "old").mkdir()
    (documents / "old" / "ferry.txt").write_text("The ferry left at ten in the morning of every day.")
    (documents / "old" / "ferry.md").write_text(FERRY)
    service = make_service()
    service.start(generator=False, ingest=False)
    service.wait_until_ready()
    service.upkeep.ingest_now("notes", lambda _: None, lambda _: None)

    typed = service.search("ferry folder:old", corpus="notes")
    both = service.search("ferry folder:old", corpus="notes", filters=SearchFilters(formats=("txt",)))
    alone = service.search("file:old/ferry.md", corpus="notes")
    plain = service.get_corpus_search().search("ferry folder:old", corpus="notes", limit=9)

    assert {passage.path for passage in typed.passages} == {"old/ferry.md", "old/ferry.txt"}
    assert (typed.trace.question, typed.trace.documents, typed.trace.documents_total) == ("ferry", 2, 3)
    assert [passage.path for passage in both.passages] == ["old/ferry.txt"]
    assert [passage.path for passage in alone.passages] == ["old/ferry.md"]
    assert plain.trace.documents == plain.trace.documents_total == 3
    assert service.catalogue.list_filter_choices("notes").folders == ("old",)


def test_a_filter_that_cannot_be_used_is_refused_with_advice(service):
    with pytest.raises(QuestionError, match=r"“yesterday” is not a date.*2024-05-31"):
        service.search("ferry after:yesterday", corpus="notes")
    with pytest.raises(QuestionError, match=r"“klingon” is not a language"):
        service.ask("When does the ferry leave? lang:klingon", corpus="notes")


def fail_to_load(_):
    raise ModelError("The weights are damaged.", "Fetch them again.")


def test_an_embedding_model_that_fails_is_told_to_everyone_who_waits_or_asks(make_service):
    service = make_service(make_embedder=fail_to_load)
    service.start()

    with pytest.raises(ModelError, match="weights are damaged"):
        service.wait_until_ready()
    wait_for(lambda: [part.state for part in service.status().parts].count("failed") == 2)
    assert "The weights are damaged. Fetch them again." in service.status().waiting_for
    with pytest.raises(ModelError, match="weights are damaged"):
        service.search("When?", corpus="notes")


def test_search_goes_on_when_only_the_language_model_fails(make_service):
    service = make_service(make_generator=fail_to_load)
    service.start()
    wait_for(lambda: service.ingests.last_report("notes"))

    assert service.search("ferry", corpus="notes").passages
    with pytest.raises(ModelError, match="weights are damaged"):
        service.ask("When?", corpus="notes")


def test_a_part_that_breaks_in_an_unforeseen_way_is_named(make_service):
    service = make_service(make_generator=lambda _: 1 / 0)
    service.start()

    with pytest.raises(ModelError, match=r"language model could not be loaded \(ZeroDivisionError\)"):
        service.wait_until_ready()


def test_whoever_waits_is_released_when_the_service_closes(make_service):
    gate = threading.Event()
    service = make_service(make_generator=lambda _: gate.wait(10) and ScriptedGenerator())
    service.start()
    released = threading.Event()

    def wait():
        with pytest.raises(ModelError, match="being closed"):
            service.wait_until_ready()
        released.set()

    threading.Thread(target=wait, daemon=True).start()
    closing = threading.Thread(target=service.close)
    closing.start()

    assert released.wait(5)
    gate.set()
    closing.join()


def test_the_folder_belongs_to_one_service_until_it_is_closed(make_service, tmp_path):
    service = make_service()

    with pytest.raises(LibraryInUse):
        make_service()
    service.close()
    claim_data_folder(tmp_path / "data").release()


def test_a_damaged_library_gives_the_folder_back(make_service, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "library.sqlite3").write_bytes(b"garbage" * 1000)

    with pytest.raises(Exception, match=r"library\.sqlite3"):
        make_service()
    claim_data_folder(tmp_path / "data").release()


def test_everything_is_there_after_a_restart(make_service):
    first = make_service()
    first.start()
    first.wait_until_ready()
    wait_for(lambda: first.ingests.last_report("notes"))
    first.close()

    second = make_service()
    second.start(ingest=False)
    second.wait_until_ready()

    assert second.search("ferry", corpus="notes").passages[0].path == "ferry.md"


def test_a_file_that_is_added_is_copied_and_read(service, corpora, tmp_path):
    (tmp_path / "upload").write_text("# Dogs\n\nDogs wait outside.\n")

    names = service.upkeep.add_files("notes", [("../dogs.md", tmp_path / "upload")])
    wait_for(lambda: "dogs.md" in list_paths(service))

    assert names == ["dogs.md"]
    assert (corpora / "notes" / "documents" / "dogs.md").is_file()
    assert service.search("dogs", corpus="notes").passages[0].path == "dogs.md"


def test_a_file_that_cannot_be_read_is_told_in_the_report(service, tmp_path):
    (tmp_path / "upload").write_bytes(b"%PDF-1.7 broken")

    service.upkeep.add_files("notes", [("bad.pdf", tmp_path / "upload")])
    wait_for(lambda: "bad.pdf" in list_paths(service) and not service.ingests.progress("notes"))

    [outcome] = service.ingests.last_report("notes").outcomes
    assert (outcome.path, outcome.result) == ("bad.pdf", "failed")
    assert "bad.pdf" in outcome.reason


def test_a_deleted_document_is_gone_from_folder_library_and_answers(service, corpora):
    [record] = service.catalogue.list_documents("notes")

    service.upkeep.delete_document(record.id)

    assert not (corpora / "notes" / "documents" / "ferry.md").exists()
    assert service.search("ferry", corpus="notes").passages == ()
    with pytest.raises(CorpusError, match="no longer in the library"):
        service.catalogue.get_document(record.id)
    with pytest.raises(CorpusError):
        service.upkeep.delete_document(record.id)


def test_a_document_whose_file_is_gone_can_still_be_deleted(service, corpora):
    [record] = service.catalogue.list_documents("notes")
    (corpora / "notes" / "documents" / "ferry.md").unlink()

    service.upkeep.delete_document(record.id)

    assert list_paths(service) == []


def test_the_original_file_of_a_document_is_found(service, corpora):
    [record] = service.catalogue.list_documents("notes")

    assert (corpora / "notes" / "documents" / "ferry.md").resolve() == service.catalogue.document_file(
        record.id
    )


def test_a_file_dropped_into_the_folder_is_picked_up_and_a_deleted_one_forgotten(make_service, corpora):
    service = make_service(watch_seconds=0.05)
    service.start()
    service.wait_until_ready()
    wait_for(lambda: list_paths(service) == ["ferry.md"] and service.ingests.progress("notes") is None)
    time.sleep(0.1)

    (corpora / "notes" / "documents" / "dogs.md").write_text("# Dogs\n\nDogs wait outside.\n")
    wait_for(lambda: "dogs.md" in list_paths(service))
    (corpora / "notes" / "documents" / "ferry.md").unlink()
    wait_for(lambda: list_paths(service) == ["dogs.md"])


def test_a_new_corpus_is_picked_up(make_service, corpora):
    service = make_service(watch_seconds=0.05)
    service.start()
    service.wait_until_ready()
    wait_for(lambda: service.ingests.last_report("notes"))
    time.sleep(0.1)

    (corpora / "second" / "documents").mkdir(parents=True)
    (corpora / "second" / "documents" / "a.md").write_text(FERRY)

    wait_for(lambda: service.catalogue.list_documents("second"))


def test_a_watched_folder_that_disappears_is_no_disaster(make_service, corpora, caplog):
    service = make_service(watch_seconds=0.05)
    service.start()
    service.wait_until_ready()
    corpora.rename(corpora.with_name("away"))
    wait_for(lambda: "the corpora cannot be watched" in caplog.text)
    corpora.with_name("away").rename(corpora)
    (corpora / "notes" / "documents" / "dogs.md").write_text("# Dogs\n\nDogs wait outside.\n")

    wait_for(lambda: "dogs.md" in list_paths(service))


def test_a_missing_corpora_folder_is_told_when_a_corpus_is_asked_for(make_service, tmp_path):
    service = make_service(corpora_folder=tmp_path / "nowhere")
    service.start()
    service.wait_until_ready()
    time.sleep(0.1)

    with pytest.raises(CorpusError, match="nowhere"):
        service.catalogue.find_corpus(None)


def test_corpora_are_listed_with_their_size_the_default_first(service):
    corpora = service.catalogue.list_corpora()

    assert [(corpus.name, corpus.documents, corpus.chunks) for corpus in corpora] == [
        ("notes", 1, 1),
        ("empty", 0, 0),
    ]


def test_the_corpus_that_is_meant_is_found(service):
    assert [service.catalogue.find_corpus(name) for name in (None, "", "empty")] == [
        "notes",
        "notes",
        "empty",
    ]
    with pytest.raises(CorpusError, match="'missing'"):
        service.catalogue.find_corpus("missing")


def test_an_empty_question_is_refused_before_anything_else(make_service):
    with pytest.raises(QuestionError):
        make_service().ask("  ", corpus="notes")


def test_another_embedding_model_is_searched_at_once_after_its_ingest(make_service):
    first = make_service()
    first.start()
    first.wait_until_ready()
    wait_for(lambda: first.ingests.last_report("notes"))
    before = first.ingests.last_report("notes")
    first.close()

    second = make_service(make_embedder=lambda _: HashingEmbedder(fingerprint="hashing2", dimension=48))
    second.start()
    second.wait_until_ready()
    wait_for(lambda: second.ingests.last_report("notes") != before)

    [passage] = second.search("ferry", corpus="notes").passages
    assert passage.vector_rank == 1


def test_a_text_without_a_file_can_be_searched(make_service):
    from chatbot.types import Block, ParsedDocument

    service = make_service()
    service.start(ingest=False)
    service.wait_until_ready()
    service.upkeep.add_text(
        "empty", "p1", ParsedDocument("Zebras", "Zebras sleep.", (Block("paragraph", 0, 13),))
    )

    assert service.search("zebras", corpus="empty").passages[0].text == "Zebras sleep."


def test_closing_twice_is_harmless(make_service):
    service = make_service()
    service.start()
    service.close()
    service.close()

    assert service.is_closing
    claim_data_folder(service.settings.data_folder).release()


def test_without_a_language_model_only_the_search_is_explained(make_service):
    service = make_service()
    service.start(generator=False)
    service.wait_until_ready()
    wait_for(lambda: service.catalogue.list_documents("notes"))
    wait_for(lambda: service.search("ferry", corpus="notes").passages)

    explanation = service.explain("ferry", corpus="notes")

    assert explanation.prompt is None
    assert explanation.result.trace.hits[0].number == 1


def test_an_explanation_tells_what_a_question_would_be_answered_from(service):
    explanation = service.explain("When does the ferry leave?", corpus="notes")

    answer = service.ask("When does the ferry leave?", corpus="notes").finish()
    assert explanation.prompt == answer.prompt
    assert [hit.chunk_id for hit in explanation.result.trace.hits] == [
        hit.chunk_id for hit in answer.trace.hits
    ]


# Receipts


def read_data_folder(service: Service) -> bytes:
    folder = service.settings.data_folder
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_every_answer_has_a_receipt_with_what_it_was_made_with(service):
    history = [Message("user", "Hello"), Message("assistant", "Good day.")]
    answer = service.ask("When does the ferry leave?", corpus="notes", history=history).finish()

    receipt = service.records.receipts.get(answer.receipt)
    assert (receipt.question, receipt.words.answer, receipt.words.history) == (
        "When does the ferry leave?",
        answer.text,
        tuple(history),
    )
    [record] = service.catalogue.list_documents("notes")
    assert {passage.revision for passage in receipt.passages} == {record.sha256}
    assert receipt.setup.model == "scripted"
    assert receipt.setup.embedder_hash == "hashing1"
    assert receipt.setup.settings["evidence_floor"] == 0.0
    assert "system" in receipt.setup.prompts


def test_an_answer_that_was_stopped_has_a_receipt_too(service):
    answer = service.ask("When does the ferry leave?", corpus="notes")
    answer.close()

    assert service.records.receipts.get(answer.finished.receipt).stop_reason == "stopped"


def test_no_receipts_are_kept_where_none_are_wanted(make_service):
    service = make_service(receipts_kept=0)
    service.start()
    service.wait_until_ready()
    wait_for(lambda: service.ingests.last_report("notes"))

    assert service.ask("When does the ferry leave?", corpus="notes").finish().receipt == ""


def test_a_receipt_that_cannot_be_written_costs_no_answer(service, monkeypatch, caplog):
    def fail(_):
        raise LibraryError("The disk is full.", "Free some space.")

    monkeypatch.setattr(service.records.receipts, "add", fail)
    answer = service.ask("When does the ferry leave?", corpus="notes").finish()

    assert (answer.found, answer.receipt) == (True, "")
    assert "no receipt was kept" in caplog.text


@pytest.mark.parametrize("by", ["the page", "its folder"])
def test_a_deleted_document_is_in_no_byte_of_the_data_folder(service, corpora, by):
    answer = service.ask("When does the ferry leave?", corpus="notes").finish()
    assert b"ferry leaves at" in read_data_folder(service)

    if by == "the page":
        service.upkeep.delete_document(answer.citations[0].document_id)
    else:
        (corpora / "notes" / "documents" / "ferry.md").unlink()
        service.upkeep.ingest_now("notes", lambda _: None, lambda _: None)

    assert b"ferry leaves at" not in read_data_folder(service)
    assert service.records.receipts.get(answer.receipt).words is None
