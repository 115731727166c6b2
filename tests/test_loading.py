import pytest

from chatbot.errors import ModelError
from chatbot.loading import LoadingParts


def test_parts_wait_work_and_are_ready():
    parts = LoadingParts(("model",))
    seen = [parts.status()]
    with parts.loading("model") as report:
        seen.append(parts.status())
        report("12 of 90 MB")
        seen.append(parts.status())
    seen.append(parts.status())

    assert [status.parts[0].state for status in seen] == ["waiting", "working", "working", "ready"]
    assert [status.waiting_for for status in seen] == ["", "the model is loading", "12 of 90 MB", ""]
    assert [status.ready for status in seen] == [False, False, False, True]


def test_a_part_that_fails_says_why():
    parts = LoadingParts(("model", "other"))
    with parts.loading("model"):
        raise ModelError("The weights are damaged.", "Fetch them again.")

    assert parts.status().waiting_for == "The weights are damaged. Fetch them again."
    assert isinstance(parts.error, ModelError)
    assert parts.status().parts[0].state == "failed"


def test_an_error_that_nobody_foresaw_is_told_without_its_words(caplog):
    parts = LoadingParts(("model",))
    with parts.loading("model"):
        raise ZeroDivisionError("secret detail")

    assert "ZeroDivisionError" in parts.status().waiting_for
    assert "secret detail" not in parts.status().waiting_for
    assert "secret detail" in caplog.text


def test_a_part_that_is_not_wanted_is_not_awaited():
    parts = LoadingParts(("model", "other"))
    parts.drop("model")
    with parts.loading("other"):
        pass

    assert parts.status().ready


def test_a_remark_on_a_part_that_is_ready_keeps_nobody_waiting(caplog):
    parts = LoadingParts(("reader", "other"))
    for name in ("reader", "other"):
        with parts.loading(name):
            pass
    assert parts.status().remarks == ""

    parts.remark("reader", "The small one stands in.")

    status = parts.status()
    assert (status.ready, status.waiting_for, status.remarks) == (True, "", "The small one stands in.")
    assert "The small one stands in." in caplog.text


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interruption_counts_as_a_failure_too(error):
    parts = LoadingParts(("model",))
    with parts.loading("model"):
        raise error

    assert not parts.status().ready
