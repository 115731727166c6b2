"""What the parts of the running chatbot are doing while they load."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from chatbot.errors import ChatbotError, ModelError
from chatbot.types import PartStatus, ServiceStatus

logger = logging.getLogger(__name__)

Report = Callable[[str], None]
"""Takes a few words on how far something is."""


class LoadingParts:
    """The state of the parts that take time to load. Safe to use from several threads."""

    def __init__(self, names: Sequence[str]) -> None:
        self._lock = threading.Lock()
        self._parts = {name: PartStatus(name, "waiting") for name in names}
        self.error: ChatbotError | None = None

    def status(self) -> ServiceStatus:
        with self._lock:
            parts = tuple(self._parts.values())
        return ServiceStatus(all(part.state == "ready" for part in parts), parts)

    def drop(self, name: str) -> None:
        with self._lock:
            del self._parts[name]

    def fail(self, name: str, detail: str) -> None:
        self.set_status(PartStatus(name, "failed", detail))

    def remark(self, name: str, detail: str) -> None:
        """Say of a part that is ready what users are to know."""
        logger.warning("the %s: %s", name, detail)
        self.set_status(PartStatus(name, "ready", detail))

    def describe_missing(self, name: str) -> ChatbotError:
        """What to raise where a part is needed that is not ready."""
        return self.error or ModelError(f"The {name} is still loading.", "Ask again in a few seconds.")

    def loading(self, name: str) -> _Loading:
        """A context in which the part is at work, and after which it is ready or failed."""
        return _Loading(self, name)

    def set_status(self, part: PartStatus) -> None:
        with self._lock:
            self._parts[part.name] = part


class _Loading:
    def __init__(self, parts: LoadingParts, name: str) -> None:
        self._parts = parts
        self._name = name
        self._started = time.monotonic()

    def __enter__(self) -> Report:
        self._parts.set_status(PartStatus(self._name, "working", f"the {self._name} is loading"))
        return lambda detail: self._parts.set_status(PartStatus(self._name, "working", detail))

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if error is None:
            logger.info("the %s is ready after %.1f s", self._name, time.monotonic() - self._started)
            self._parts.set_status(PartStatus(self._name, "ready"))
            return True
        if not isinstance(error, ChatbotError):
            logger.error("the %s failed to load", self._name, exc_info=error)
            error = ModelError(
                f"The {self._name} could not be loaded ({type(error).__name__}).", "Run: chatbot doctor."
            )
        self._parts.error = error
        self._parts.fail(self._name, str(error))
        return True
