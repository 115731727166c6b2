import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from chatbot import build, cli
from chatbot.commands import serve
from chatbot.errors import ModelError
from chatbot.ownership import claim_data_folder
from chatbot.settings import load_settings
from chatbot.terminal import make_terminal
from tests.fakes import HashingEmbedder, ScriptedGenerator

REPOSITORY = Path(__file__).parent.parent
COMMANDS = ["serve", "ingest", "ask", "search", "chat", "evaluate", "doctor"]
QUESTION = "When does the ferry leave?"


@pytest.fixture(autouse=True)
def corpora(tmp_path, monkeypatch):
    """A corpus of one good and one bad document; the models are scripted."""
    documents = tmp_path / "corpora" / "notes" / "documents"
    documents.mkdir(parents=True)
    (documents / "ferry.md").write_text("# Ferry\n\nThe ferry leaves at noon.\n")
    monkeypatch.setenv("CHATBOT_CORPORA_FOLDER", str(tmp_path / "corpora"))
    monkeypatch.setenv("CHATBOT_READER", "small")
    monkeypatch.setenv("CHATBOT_ANSWER_STYLE", "free")
    monkeypatch.setenv("CHATBOT_EVIDENCE_FLOOR", "0.3")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("CHATBOT_PORT", str(free.getsockname()[1]))
    monkeypatch.setattr(build, "make_embedder", lambda *_: HashingEmbedder())
    monkeypatch.setattr(
        build, "make_generator", lambda *_: ScriptedGenerator("The ferry leaves at noon.", repeat=True)
    )
    return tmp_path / "corpora"


@pytest.fixture
def run(capsys):
    """Runs a command line in this process; gives its exit code and what it wrote."""

    def run(*arguments: str) -> tuple[int, str, str]:
        try:
            code = cli.main(arguments)
        except SystemExit as end:
            code = int(end.code or 0)
        written = capsys.readouterr()
        return code, written.out, written.err

    return run


@pytest.fixture
def questions(corpora):
    path = corpora / "notes" / "questions.jsonl"
    path.write_text(json.dumps({"question": QUESTION, "answers": ["noon"], "source": "ferry.md"}))
    return path


def test_help_names_every_command_and_exit_code(run):
    code, out, _ = run("--help")

    assert code == 0
    assert [name for name in [*COMMANDS, "exit codes"] if name not in out] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(run, command):
    code, out, _ = run(command, "--help")

    assert code == 0
    assert f"chatbot {command}" in out


def test_the_version_is_told(run):
    assert (run("--version")[0], run("--version")[1][:8]) == (0, "chatbot ")


@pytest.mark.parametrize("arguments", [[], ["unknown"], ["ask"], ["evaluate"], ["serve", "--port", "x"]])
def test_wrong_usage_ends_with_2(run, arguments):
    code, _, err = run(*arguments)

    assert code == 2
    assert "usage" in err


def test_help_loads_no_heavy_package():
    program = (
        "import sys, chatbot.cli\n"
        "try: chatbot.cli.main(['ask', '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = 'torch gradio chromadb transformers sentence_transformers fastapi tiktoken'.split()\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    command = [sys.executable, "-c", program]

    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY)

    assert result.stdout.splitlines()[-1] == "[]"


def test_an_answer_is_printed_with_its_sources(run):
    code, out, _ = run("ask", QUESTION)

    assert code == 0
    assert "The ferry leaves at noon" in out
    assert "[1]" in out
    assert "ferry.md" in out


def test_an_answer_in_json_holds_all_of_it(run):
    code, out, _ = run("ask", "--json", QUESTION)

    answer = json.loads(out)
    assert code == 0
    assert (answer["found"], answer["question"], answer["corpus"]) == (True, QUESTION, "notes")
    assert answer["citations"][0]["quote"] == "The ferry leaves at noon."


def test_what_the_documents_do_not_hold_ends_with_9(run):
    code, out, _ = run("ask", "--json", "Zyx qwv plugh?")

    assert code == 9
    assert json.loads(out)["found"] is False


def test_a_search_prints_passages_and_loads_no_language_model(run, monkeypatch):
    monkeypatch.setattr(build, "make_generator", lambda *_: pytest.fail("it was loaded"))

    code, out, _ = run("search", QUESTION)
    as_json = run("search", "--json", QUESTION)

    assert (code, as_json[0]) == (0, 0)
    assert "ferry.md" in out
    assert json.loads(as_json[1])[0]["path"] == "ferry.md"


def test_a_search_explains_itself_without_calling_the_model(run, monkeypatch):
    model = ScriptedGenerator()
    monkeypatch.setattr(build, "make_generator", lambda *_: model)

    code, out, _ = run("search", "--explain", QUESTION)
    as_json = json.loads(run("search", "--explain", "--json", QUESTION)[1])

    assert code == 0
    assert "1 of 1 were searched" in out
    assert f"{QUESTION}\n" in out[out.index("Prompt:") :]
    assert max(map(len, out.splitlines())) <= 100
    assert as_json["trace"]["hits"][0]["number"] == 1
    assert as_json["asks_model"]
    assert model.prompts == []


@pytest.mark.parametrize(
    ("options", "paths"),
    [
        (["--type", "md"], ["ferry.md"]),
        (["--type", "pdf", "--type", ".md"], ["ferry.md"]),
        (["--type", "pdf"], []),
        (["--file", "ferry"], ["ferry.md"]),
        (["--folder", "old"], []),
        (["--after", "2024"], []),
    ],
)
def test_filters_narrow_a_search_and_an_answer(run, options, paths):
    code, out, _ = run("search", "--json", *options, QUESTION)
    answer = json.loads(run("ask", "--json", *options, QUESTION)[1])

    assert code == (0 if paths else 9)
    assert [passage["path"] for passage in json.loads(out)] == paths
    assert [passage["path"] for passage in answer["passages"]] == paths
    assert answer["found"] == bool(paths)


def test_an_ingest_prints_each_file_and_the_report(run):
    code, out, _ = run("ingest")

    first, last = out.splitlines()
    assert code == 0
    assert first.startswith("added    ferry.md")
    assert last.startswith("notes: 1 added")


def test_an_ingest_with_a_bad_file_ends_with_4_and_says_why(run, corpora):
    (corpora / "notes" / "documents" / "bad.pdf").write_bytes(b"%PDF-1.7 broken")

    code, out, _ = run("ingest", "--json")

    report = json.loads(out)
    assert code == 4
    assert {outcome["path"]: outcome["result"] for outcome in report["outcomes"]} == {
        "bad.pdf": "failed",
        "ferry.md": "added",
    }


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["ask", ""], 2, "empty"),
        (["ask", "x" * 3000], 2, "3,000 characters"),
        (["search", "--limit", "0", QUESTION], 2, "--limit"),
        (["search", "--after", "soon", QUESTION], 2, "not a date"),
        (["ask", "--language", "klingon", QUESTION], 2, "not a language"),
        (["ask", "--corpus", "missing", QUESTION], 3, "missing"),
        (["ingest", "--corpus", "missing"], 3, "missing"),
        (["serve", "--host", "everywhere"], 2, "host"),
        (["serve", "--host", "0.0.0.0"], 10, "chatbot keys create"),
        (["keys", "create", "phone", "--corpus", "missing"], 3, "missing"),
        (["keys", "revoke", "phone"], 10, "no key"),
        (["serve", "--port", "99999"], 2, "port"),
        (["evaluate", "--corpus", "notes", "--min", "right"], 2, "NAME=NUMBER"),
        (["evaluate", "--documents", "nowhere"], 2, "questions"),
    ],
)
def test_what_cannot_work_is_told_with_a_next_step(run, arguments, code, words):
    found, out, err = run(*arguments)

    assert code == found
    assert words in err
    assert "Traceback" not in err + out


def test_a_key_is_shown_once_listed_without_its_secret_and_revoked(run):
    code, secret, _ = run("keys", "create", "phone", "--scope", "ingest", "--corpus", "notes")
    _, listed, _ = run("keys", "list", "--json")
    revoked, _, _ = run("keys", "revoke", "phone")

    assert (code, revoked) == (0, 0)
    assert secret.startswith("cbk-")
    assert [(key["name"], key["scope"], key["corpora"]) for key in json.loads(listed)] == [
        ("phone", "ingest", ["notes"])
    ]
    assert secret.strip() not in listed
    assert "revoked 20" in run("keys", "list")[1]


def test_a_model_that_does_not_load_ends_with_5(run, monkeypatch):
    def fail(*_):
        raise ModelError("The weights are damaged.", "Fetch them again.")

    monkeypatch.setattr(build, "make_generator", fail)
    code, _, err = run("ask", QUESTION)

    assert code == 5
    assert "The weights are damaged.\nFetch them again." in err


def test_a_folder_that_another_command_uses_ends_with_6(run, tmp_path):
    owner = claim_data_folder(tmp_path / "data")
    code, _, err = run("ask", QUESTION)
    owner.release()

    assert code == 6
    assert "already using" in err


def test_an_owner_that_answers_no_more_ends_with_7(run, tmp_path):
    owner = claim_data_folder(tmp_path / "data")
    owner.announce("http://127.0.0.1:9")
    code, _, err = run("ask", QUESTION)
    owner.release()

    assert code == 7
    assert "does not answer" in err


def test_a_chat_remembers_what_was_asked(run, monkeypatch):
    lines = iter([QUESTION, "And why?", ""])
    monkeypatch.setattr("builtins.input", lambda _: next(lines))

    code, out, _ = run("chat")

    assert code == 0
    assert "Searched for: When does the ferry leave?" in out


def test_ctrl_d_ends_a_chat(run, monkeypatch):
    def end(_):
        raise EOFError

    monkeypatch.setattr("builtins.input", end)

    assert run("chat")[0] == 0


def test_ctrl_c_ends_a_command_with_130(run, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "run_ask", interrupt)

    assert run("ask", QUESTION)[0] == 130


def test_an_evaluation_prints_figures_and_writes_the_report(run, questions, tmp_path):
    code, out, _ = run(
        "evaluate", "--corpus", "notes", "--json", str(tmp_path / "out.json"), "--min", "right=1"
    )

    assert code == 0
    assert "recall@5 1.000" in out
    assert json.loads((tmp_path / "out.json").read_text())["answers"]["n"] == 1


def test_a_figure_below_its_minimum_ends_with_8(run, questions):
    code, out, _ = run("evaluate", "--corpus", "notes", "--min", "answers.f1=1.01")

    assert code == 8
    assert "below 1.01" in out


def test_the_doctor_ends_with_0_only_when_all_is_well(run):
    code, out, _ = run("doctor", "--json")

    checks = json.loads(out)
    assert code == (0 if all(check["ok"] for check in checks) else 1)
    assert all(check["next_step"] for check in checks if not check["ok"])
    names = {check["name"] for check in checks}
    assert {"program", "data folder", "prompts", "corpus notes", "port", "package chromadb"} <= names


def test_the_doctor_names_what_is_wrong(run, monkeypatch, tmp_path):
    monkeypatch.setenv("CHATBOT_PROMPTS_FOLDER", str(tmp_path / "nowhere"))

    code, out, _ = run("doctor")

    assert code == 1
    assert "WRONG prompts" in out
    assert "→" in out


@pytest.fixture
def server(run):
    """The real server over the scripted models, in a thread."""
    from chatbot.web.app import create_app
    from chatbot.web.serve import make_server, make_url, open_socket

    settings = load_settings(watch_seconds=0)
    with build.build_service(settings) as service, open_socket("127.0.0.1", 0) as listener:
        started = threading.Event()
        server = make_server(create_app(service), on_started=started.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        assert started.wait(20)
        service.announce(make_url("127.0.0.1", listener.getsockname()[1]))
        service.start()
        service.wait_until_ready()
        while service.ingests.latest("notes") is None:  # else its report tells of what a test adds
            time.sleep(0.01)
        yield service
        server.should_exit = True
        thread.join(timeout=10)


def test_commands_go_through_the_running_server(run, server, corpora):
    (corpora / "notes" / "documents" / "dogs.md").write_text("# Dogs\n\nDogs wait outside.\n")

    ingest = run("ingest", "--json")
    ask = run("ask", "--json", QUESTION)
    search = run("search", "--json", "dogs")
    filtered = run("search", "--json", "--file", "ferry", "dogs")
    explained = run("search", "--json", "--explain", "--file", "dogs", "dogs")
    doctor = run("doctor", "--json")

    assert (ingest[0], ask[0], search[0]) == (0, 0, 0)
    assert {"dogs.md": "added"}.items() <= {
        outcome["path"]: outcome["result"] for outcome in json.loads(ingest[1])["outcomes"]
    }.items()
    assert json.loads(ask[1])["citations"][0]["quote"] == "The ferry leaves at noon."
    assert json.loads(search[1])[0]["path"] == "dogs.md"
    assert {passage["path"] for passage in json.loads(filtered[1])} == {"ferry.md"}
    assert json.loads(explained[1])["trace"]["filters"]["files"] == ["dogs"]
    assert json.loads(explained[1])["prompt"]["messages"]
    assert [check["ok"] for check in json.loads(doctor[1]) if check["name"] == "data folder"] == [True]


def test_commands_go_through_a_server_that_asks_others_for_a_key(run, server):
    server.keys.create_key("phone")

    assert run("ingest", "--json")[0] == 0
    assert run("ask", "--json", QUESTION)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["ask", ""], 2), (["ask", "--corpus", "missing", QUESTION], 3), (["ask", "Zyx qwv plugh?"], 9)],
)
def test_a_command_ends_the_same_whether_a_server_runs_or_not(run, server, arguments, code):
    assert code == run(*arguments)[0]


def test_an_answer_can_be_repeated_and_what_changed_is_told(run, corpora, monkeypatch):
    _, out, _ = run("ask", QUESTION)
    receipt = next(line.split()[1] for line in out.splitlines() if line.startswith("Receipt: "))

    code, out, _ = run("replay", receipt)
    assert (code, "Nothing changed" in out) == (0, True)

    (corpora / "notes" / "documents" / "ferry.md").write_text("# Ferry\n\nThe ferry leaves at nine.\n")
    monkeypatch.setattr(
        build, "make_generator", lambda *_: ScriptedGenerator("The ferry leaves at nine.", repeat=True)
    )
    code, out, _ = run("replay", receipt, "--json")
    changes = json.loads(out)["changes"]
    assert code == 0
    assert any("no longer found" in change for change in changes)
    assert any(change.startswith("answer: ") and "nine" in change for change in changes)


def test_an_unknown_receipt_is_told(run):
    code, _, err = run("replay", "nothing")

    assert code == 3
    assert "There is no such answer." in err


def test_feedback_is_listed(run):
    from chatbot.feedback import Feedback, FeedbackStore

    assert "Nobody has said" in run("feedback")[1]
    store = FeedbackStore(load_settings().data_folder / "feedback.sqlite3")
    store.give(Feedback("abc", "notes", QUESTION, "down", "It left at nine."))
    store.close()

    out = run("feedback", "--corpus", "notes")[1]
    assert [text for text in (QUESTION, "It left at nine.", "abc") if text not in out] == []
    assert json.loads(run("feedback", "--json")[1])[0]["rating"] == "down"
    assert "Nobody has said" in run("feedback", "--corpus", "other")[1]


def test_a_restart_tells_nothing_of_the_ingests_of_the_process_before(run, capsys):
    assert run("ingest")[0] == 0
    with build.build_service(load_settings()) as service:
        service.start(generator=False)
        service.wait_until_ready()
        while service.ingests.latest("notes") is None:
            service.sleep(0.02)
        serve.follow_ingests(service, make_terminal())
        assert service.ingests.last_report("notes").outcomes

    assert capsys.readouterr().out == ""
