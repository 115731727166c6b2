"""What the settings of the reading model come to when the product is put together."""

import pytest

from chatbot import build
from chatbot.doctor import check_reader
from chatbot.errors import ModelError
from chatbot.model_preparing import hash_file
from chatbot.reading import choosing
from chatbot.reading.choosing import PACKAGED_WEIGHTS
from chatbot.settings import load_settings


@pytest.fixture
def no_network(monkeypatch):
    """The large model's encoder cannot be fetched."""

    def fail(*_, **__):
        raise ModelError("The reading model could not be fetched.", "Connect to the network.")

    monkeypatch.setattr(choosing, "prepare_base", fail)


def test_the_small_reading_model_is_loaded_and_named_where_the_large_one_cannot_be_had(no_network):
    settings = load_settings(reader="large")

    reader = build.make_passage_reader(settings, lambda _: None)

    assert "stands in" in reader.note
    hashes = build.hash_models(settings)
    assert hashes["reader"] == "small"
    assert hashes["reader_hash"] == hash_file(PACKAGED_WEIGHTS["small"])


def test_doctor_tells_what_the_large_reading_model_still_needs():
    check = check_reader(load_settings(reader="large"))

    assert check.ok
    assert "fetched at the next start (405 MB)" in check.finding


@pytest.mark.parametrize(("reader", "finding"), [("small", "small, 7 MB"), ("off", "off")])
def test_doctor_tells_of_the_others_that_they_are_there(reader, finding):
    check = check_reader(load_settings(reader=reader))

    assert check.ok
    assert finding in check.finding


def test_doctor_names_the_words_that_there_are():
    check = check_reader(load_settings(reader="packaged"))

    assert not check.ok
    assert "large, small, off" in check.next_step
