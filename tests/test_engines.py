"""Which engine a setting means."""

import pytest

from chatbot import engines
from chatbot.engines import choose_engine
from chatbot.errors import ModelError


@pytest.mark.parametrize(
    ("is_installed", "has_gpu", "expected"),
    [(True, False, "openvino"), (True, True, "torch"), (False, False, "torch")],
)
def test_openvino_is_chosen_on_a_processor_where_it_is_installed(
    monkeypatch, is_installed, has_gpu, expected
):
    monkeypatch.setattr(engines, "is_openvino_installed", lambda: is_installed)
    monkeypatch.setattr(engines, "has_gpu", lambda: has_gpu)

    assert choose_engine("auto") == expected


def test_an_engine_that_is_named_is_taken(monkeypatch):
    monkeypatch.setattr(engines, "is_openvino_installed", lambda: True)
    monkeypatch.setattr(engines, "has_gpu", lambda: True)

    assert choose_engine("openvino") == "openvino"
    assert choose_engine("torch") == "torch"


def test_openvino_that_is_asked_for_and_missing_is_an_error_that_says_what_to_do(monkeypatch):
    monkeypatch.setattr(engines, "is_openvino_installed", lambda: False)

    with pytest.raises(ModelError, match="pip install openvino-genai"):
        choose_engine("openvino")
