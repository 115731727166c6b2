import pytest

from chatbot import settings as settings_module
from chatbot.errors import SettingsError
from chatbot.settings import LOOPBACK_HOSTS, Settings, find_project_folder, find_shipped_folder, load_settings


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """An empty project folder, so that no chatbot.toml of ours counts."""
    monkeypatch.setattr(settings_module, "find_project_folder", lambda: tmp_path)
    monkeypatch.delenv("CHATBOT_DATA_FOLDER")
    return tmp_path


def test_without_anything_every_setting_has_its_default(project):
    settings = load_settings()

    assert ("127.0.0.1", 7860, None, project / "data", True) == (
        settings.host,
        settings.port,
        settings.corpus,
        settings.data_folder,
        settings.offline,
    )


def test_chatbot_toml_beats_the_default(project):
    (project / "chatbot.toml").write_text("port = 8001\n")

    assert load_settings().port == 8001


def test_the_environment_beats_chatbot_toml(project, monkeypatch):
    (project / "chatbot.toml").write_text("port = 8001\nanswer_tokens = 99\n")
    monkeypatch.setenv("CHATBOT_PORT", "8002")

    assert (load_settings().port, load_settings().answer_tokens) == (8002, 99)


def test_a_flag_beats_the_environment(monkeypatch):
    monkeypatch.setenv("CHATBOT_PORT", "8002")

    assert load_settings(port=8003).port == 8003


def test_a_flag_that_is_not_given_counts_nothing(monkeypatch):
    monkeypatch.setenv("CHATBOT_PORT", "8002")

    assert load_settings(port=None).port == 8002


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("port", "0", "greater than or equal to 1"),
        ("port", "70000", "less than or equal to 65535"),
        ("port", "http", "integer"),
        ("public_url", "example.org", "https://chat.example.org"),
        ("host", "example.org", "127.0.0.1"),
        ("passage_limit", "0", "greater than or equal to 1"),
        ("answer_tokens", "5", "greater than or equal to 16"),
        ("chunk_tokens", "8", "greater than or equal to 32"),
        ("evidence_floor", "-0.1", "greater than or equal to 0"),
        ("evidence_floor", "nan", "less than or equal to 2"),
        ("unsupported", "hide", "'mark' or 'withhold'"),
        ("upload_limit_mb", "-1", "greater than or equal to 1"),
        ("question_limit_characters", "1", "greater than or equal to 10"),
        ("watch_seconds", "-1", "greater than or equal to 0"),
        ("watch_seconds", "inf", "finite"),
        ("offline", "perhaps", "boolean"),
        ("generator_window_tokens", "100", "greater than or equal to 512"),
    ],
)
def test_a_wrong_value_is_refused_with_key_value_and_what_is_allowed(monkeypatch, key, value, allowed):
    monkeypatch.setenv(f"CHATBOT_{key.upper()}", value)

    with pytest.raises(SettingsError) as caught:
        load_settings()

    assert key in caught.value.message
    assert value in caught.value.message
    assert allowed in caught.value.message
    assert f"CHATBOT_{key.upper()}" in caught.value.next_step


def test_an_unknown_setting_is_answered_with_the_known_ones(project):
    (project / "chatbot.toml").write_text("prot = 8001\n")

    with pytest.raises(SettingsError) as caught:
        load_settings()

    assert "'prot'" in caught.value.message
    assert all(name in caught.value.next_step for name in Settings.model_fields)


@pytest.mark.parametrize("content", [b"port = ", b"[[", 'title = "Büro"'.encode("latin-1"), b"\xff\xfe\x00"])
def test_a_broken_chatbot_toml_is_named(project, content):
    (project / "chatbot.toml").write_bytes(content)

    with pytest.raises(SettingsError, match=r"chatbot\.toml"):
        load_settings()


@pytest.mark.parametrize("host", LOOPBACK_HOSTS)
def test_addresses_of_this_machine_are_taken(host):
    assert load_settings(host=host).host == host


def test_a_key_is_never_shown(project, monkeypatch):
    monkeypatch.setenv("CHATBOT_GENERATOR_KEY", "sk-secret")

    settings = load_settings()

    assert "sk-secret" not in repr(settings)
    assert settings.generator_key is not None
    assert settings.generator_key.get_secret_value() == "sk-secret"


def test_a_key_of_the_wrong_type_is_not_repeated(project):
    (project / "chatbot.toml").write_text("generator_key = 1234567\n")

    with pytest.raises(SettingsError) as caught:
        load_settings()

    assert "generator_key" in str(caught.value)
    assert "1234567" not in str(caught.value)


def test_settings_cannot_be_changed():
    with pytest.raises(Exception, match="frozen"):
        load_settings().port = 1


def test_every_setting_says_what_it_means():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_shipped_folders_are_those_of_the_project_else_of_the_package(project):
    inside_package = find_shipped_folder("prompts")
    (project / "prompts").mkdir()

    assert inside_package.parts[-2:] == ("_shipped", "prompts")
    assert project / "prompts" == find_shipped_folder("prompts")
    assert (find_project_folder() / "prompts" / "system.md").is_file()
