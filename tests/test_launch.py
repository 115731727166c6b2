import importlib.util
import json
import os
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PROJECT = """\
[project]
name = "chatbot"
dependencies = ["some-package"]
[dependency-groups]
test = ["pytest"]
dev = [{ include-group = "test" }, "ruff"]
"""


@pytest.fixture
def launch(tmp_path, monkeypatch):
    """launch.py as a module that works on an empty project instead of on ours."""
    spec = importlib.util.spec_from_file_location("launch", REPOSITORY / "launch.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    venv = tmp_path / ".venv"
    names = {
        "ROOT": tmp_path,
        "PROJECT_FILE": tmp_path / "pyproject.toml",
        "PINS_FILE": tmp_path / "constraints.txt",
        "VENV": venv,
        "VENV_PYTHON": venv / "python",
        "PACKAGES": venv / "site-packages",
        "STAMP": venv / "installed.json",
        "SETUP_LOCK": venv / "setup.lock",
        "LOG": venv / "install.log",
    }
    for name, value in names.items():
        monkeypatch.setattr(module, name, value)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "constraints.txt").write_text("# A comment\nsome-package==1.0\ntorch==2.13.0\n")
    return module


@pytest.fixture
def installs(launch, monkeypatch):
    """Replaces pip and venv; notes what pip is asked to install."""
    calls = []

    def make_environment():
        launch.VENV_PYTHON.touch()
        launch.PACKAGES.mkdir(exist_ok=True)

    monkeypatch.setattr(launch, "make_environment", make_environment)
    monkeypatch.setattr(launch, "run_pip", lambda _what, arguments, _lock: calls.append(arguments))
    monkeypatch.setattr(launch, "check_machine", lambda: None)
    return calls


@pytest.fixture
def commands(launch, monkeypatch):
    """Notes the command that would replace this process."""
    calls = []
    monkeypatch.setattr(launch, "run_in_place", lambda arguments: calls.append(arguments) or 7)
    return calls


# --- what is installed


def test_the_first_start_installs_pytorch_before_the_product(launch, installs):
    launch.ensure_installed([])
    assert installs == [["torch==2.13.0"], ["-e", str(launch.ROOT)]]


def test_a_second_start_installs_nothing(launch, installs):
    launch.ensure_installed([])
    installs.clear()
    launch.ensure_installed([])
    assert installs == []


def test_a_group_is_added_without_the_rest(launch, installs):
    launch.ensure_installed([])
    installs.clear()
    launch.ensure_installed(["test"])
    assert installs == [["pytest"]]
    launch.ensure_installed([])
    assert len(installs) == 1


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_a_changed_requirement_is_installed(name, launch, installs):
    launch.ensure_installed([])
    installs.clear()
    path = launch.ROOT / name
    path.write_text(path.read_text().replace("some-package", "another-package"))
    launch.ensure_installed([])
    assert len(installs) == 2


def test_a_change_elsewhere_in_pyproject_installs_nothing(launch, installs):
    launch.ensure_installed([])
    installs.clear()
    with launch.PROJECT_FILE.open("a") as file:
        file.write("[tool.ruff]\nline-length = 99\n")
    launch.ensure_installed([])
    assert installs == []


def test_an_interrupted_installation_is_gone_over_again(launch, installs, monkeypatch):
    def fail(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(launch, "run_pip", fail)
        with pytest.raises(KeyboardInterrupt):
            launch.ensure_installed([])
    launch.ensure_installed([])
    assert len(installs) == 2


def test_a_lost_environment_is_made_again(launch, installs):
    launch.ensure_installed([])
    launch.VENV_PYTHON.unlink()
    installs.clear()
    launch.ensure_installed([])
    assert len(installs) == 2


def test_a_damaged_stamp_counts_as_none(launch, installs):
    launch.ensure_installed([])
    launch.STAMP.write_text("{")
    assert launch.read_installed("anything") == []


def test_a_package_that_pip_did_not_finish_is_forgotten(launch):
    whole = launch.PACKAGES / "whole-1.0.dist-info"
    half = launch.PACKAGES / "half-1.0.dist-info"
    for folder in (whole, half, launch.PACKAGES / "~alf"):
        folder.mkdir(parents=True)
    (whole / "INSTALLER").write_text("pip")
    launch.forget_half_installed()
    assert [path.name for path in launch.PACKAGES.iterdir()] == ["whole-1.0.dist-info"]


def test_clearing_an_environment_keeps_the_lock(launch):
    launch.PACKAGES.mkdir(parents=True)
    launch.VENV_PYTHON.touch()
    with launch.own_setup():
        launch.clear_environment()
        assert list(launch.VENV.iterdir()) == [launch.SETUP_LOCK]


def test_groups_include_other_groups(launch):
    assert launch.read_group("dev") == ["pytest", "ruff"]


def test_pytorch_can_be_replaced_by_the_environment(launch, monkeypatch):
    monkeypatch.setenv("CHATBOT_TORCH", "--no-index /wheels/torch.whl")
    assert launch.choose_torch() == ["--no-index", "/wheels/torch.whl"]


# --- messages


def test_an_old_python_is_told_which_one_to_take(launch, monkeypatch):
    monkeypatch.setattr(launch, "find_newer_python", lambda: "python3.13")
    with pytest.raises(launch.Problem, match=r"3\.11 or newer is needed, and this is 3\.8") as caught:
        launch.check_python((3, 8))
    assert caught.value.next_step == "Run: python3.13 launch.py"


def test_an_old_python_alone_is_told_to_install_a_newer_one(launch, monkeypatch):
    monkeypatch.setattr(launch, "find_newer_python", lambda: None)
    with pytest.raises(launch.Problem) as caught:
        launch.check_python((3, 10))
    assert caught.value.next_step.startswith("Install Python 3.11")


def test_a_missing_venv_module_is_named_with_its_debian_package(launch, monkeypatch):
    monkeypatch.setattr(launch.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(launch.shutil, "which", lambda _: "/usr/bin/apt")
    with pytest.raises(launch.Problem, match="no venv module") as caught:
        launch.check_modules()
    assert "apt install python3-venv" in caught.value.next_step


def test_a_folder_that_cannot_be_written_is_named(launch, monkeypatch):
    monkeypatch.setattr(launch, "ROOT", launch.ROOT / "missing")
    with pytest.raises(launch.Problem, match="cannot be written"):
        launch.check_writable()


def test_too_little_disk_is_said_beforehand(launch, monkeypatch):
    monkeypatch.setattr(launch, "NEEDED_BYTES", 1 << 60)
    with pytest.raises(launch.Problem, match="GB are free here"):
        launch.check_space()


def test_a_problem_is_printed_with_what_to_do(launch, monkeypatch, capsys):
    launch.PROJECT_FILE.unlink()
    assert launch.main([]) == 1
    printed = capsys.readouterr().err
    assert "pyproject.toml cannot be read" in printed
    assert "What to do: Take the whole project again" in printed


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("Failed to establish a new connection: [Errno -3]", "Connect to the network"),
        ("[Errno 13] Permission denied: '/x'", "writable"),
        ("ERROR: ResolutionImpossible: for help visit", "pinned versions"),
        ("Segmentation fault", "install.log"),
    ],
)
def test_the_end_of_a_failed_command_decides_the_advice(output, expected, launch):
    problem = launch.explain_failure("It failed.", ["first", *["line"] * 20, output])
    assert expected in problem.next_step
    assert output in problem.message
    assert "first" not in problem.message


def test_help_needs_no_installation(launch, installs, capsys):
    assert launch.main(["--help"]) == 0
    assert "python3 launch.py test" in capsys.readouterr().out
    assert installs == []


# --- what is run


def test_no_words_serve(launch, installs, commands):
    assert launch.main([]) == 7
    assert commands == [["-P", "-m", "chatbot", "serve"]]


def test_other_words_go_to_the_command_line_untouched(launch, installs, commands):
    launch.main(["ask", "two words", "--corpus=x"])
    assert commands == [["-P", "-m", "chatbot", "ask", "two words", "--corpus=x"]]


def test_test_runs_pytest_with_a_browser(launch, installs, commands, monkeypatch):
    monkeypatch.chdir(launch.ROOT)
    monkeypatch.setenv("CHATBOT_TEST_BROWSER", "")
    monkeypatch.setattr(launch, "find_browser", lambda: "/usr/bin/chromium")
    assert launch.main(["test", "-k", "some"]) == 7
    assert commands == [["-m", "pytest", "-k", "some"]]
    assert os.environ["CHATBOT_TEST_BROWSER"] == "/usr/bin/chromium"
    assert ["pytest"] in installs


def test_without_a_browser_the_tests_go_on_with_a_hint(launch, monkeypatch, capsys):
    monkeypatch.setattr(launch.shutil, "which", lambda _: None)
    monkeypatch.delenv("CI", raising=False)
    assert launch.install_browser() is None
    assert "sudo apt install chromium" in capsys.readouterr().out


def test_without_a_browser_a_checking_machine_fails(launch, monkeypatch):
    monkeypatch.setattr(launch.shutil, "which", lambda _: None)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(launch.Problem, match="no browser"):
        launch.install_browser()


# --- progress


def test_pip_output_becomes_a_few_words(launch):
    progress = launch.PipProgress()
    for line in ("Collecting numpy>=2", "  Downloading numpy-2.4.whl (16.5 MB)", "Collecting idna"):
        progress.read_line(line)
    assert progress.describe() == "fetching, 2 packages, 16 MB; now idna"
    launch.PACKAGES.mkdir(parents=True)
    progress.read_line("Installing collected packages: numpy, idna")
    (launch.PACKAGES / "numpy-2.4.dist-info").mkdir()
    assert progress.describe() == "unpacking, 1 of 2 packages"


def test_libraries_for_nvidia_are_warned_of_once(launch, capsys):
    progress = launch.PipProgress()
    for name in ("nvidia-cublas", "nvidia-cudnn"):
        progress.read_line(f"Collecting {name}")
    assert capsys.readouterr().out.count("NVIDIA cards") == 1


def test_a_watched_command_returns_and_logs_its_output(launch):
    launch.VENV.mkdir()
    command = [sys.executable, "-c", "print('one'); print('two'); raise SystemExit(3)"]
    assert launch.run_watched("Trying", command, launch.PipProgress()) == (["one", "two"], 3)
    assert "one\ntwo\n" in launch.LOG.read_text()


@pytest.mark.parametrize(("seconds", "text"), [(7.31, "7.3 s"), (65, "1:05 min"), (3600, "60:00 min")])
def test_durations_are_short(seconds, text, launch):
    assert launch.format_seconds(seconds) == text


# --- the pins


def test_pins_are_the_same_on_every_platform(launch):
    packages = [
        {"name": "torch", "version": "2.13.0+cpu"},
        {"name": "nvidia-cublas", "version": "13.0"},
        {"name": "PyYAML", "version": "6.0.3"},
        {"name": "typing_extensions", "version": "4.16.0"},
    ]
    lines = [line for line in launch.format_pins(packages).splitlines() if not line.startswith("#")]
    assert lines == ["pyyaml==6.0.3", "torch==2.13.0", "typing-extensions==4.16.0"]


def test_every_dependency_is_pinned(launch, monkeypatch):
    monkeypatch.setattr(launch, "PROJECT_FILE", REPOSITORY / "pyproject.toml")
    monkeypatch.setattr(launch, "PINS_FILE", REPOSITORY / "constraints.txt")
    requirements = [*launch.read_project()["project"]["dependencies"], *launch.read_group("test")]
    names = {requirement.split(">")[0].split("=")[0].strip() for requirement in requirements}
    assert names - set(launch.read_pins()) == set()


def test_the_stamp_names_its_parts(launch, installs):
    launch.ensure_installed(["test"])
    assert json.loads(launch.STAMP.read_text())["parts"] == ["product", "test"]
