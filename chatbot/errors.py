"""Every error that a user can meet, in one tree.

    ChatbotError
    ├── SettingsError            a setting has a value that cannot work
    ├── PromptError              a file in prompts/ is missing or broken
    ├── CorpusError              an unknown corpus, a bad name, a folder that cannot be used
    ├── DocumentError            one file could not be read; the others are not touched
    │   ├── UnsupportedFormat
    │   ├── EmptyDocument
    │   ├── CorruptDocument
    │   ├── PasswordProtected
    │   ├── DocumentTooLarge
    │   └── DocumentTimeout
    ├── ModelError               the weights are missing, unsafe or cannot be used
    ├── LibraryError             the data folder cannot be used
    │   └── LibraryInUse         another process owns it
    ├── QuestionError            the question is empty or too long, or a filter in it cannot be used
    ├── AccessError              a key or site is missing, unknown or cannot be made
    │   └── AccessDenied         a key may not do this
    ├── BusyError                too many questions are waiting already
    │   └── LimitReached         a visitor or a site has asked as much as it may for now
    └── ServerError              the page cannot be served

Each message says what happened and each `next_step` what to do about it; both may be shown as they
are. `exit_code` is what the command line ends with.
"""

from __future__ import annotations


class ChatbotError(Exception):
    """Something that the user can understand and act on."""

    exit_code = 1

    def __init__(self, message: str, next_step: str) -> None:
        super().__init__(message, next_step)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}".strip()


class SettingsError(ChatbotError):
    """A setting has a value that cannot work."""

    exit_code = 2


class PromptError(ChatbotError):
    """A file in the prompts folder is missing or broken."""

    exit_code = 2


class CorpusError(ChatbotError):
    """A corpus is unknown, badly named, or its folder cannot be used."""

    exit_code = 3


class DocumentError(ChatbotError):
    """One file could not be read."""

    exit_code = 4


class UnsupportedFormat(DocumentError):
    """No reader takes this kind of file."""


class EmptyDocument(DocumentError):
    """The file holds no text that could be read."""


class CorruptDocument(DocumentError):
    """The file is damaged, or is not what its name says."""


class PasswordProtected(DocumentError):
    """The file opens only with a password."""


class DocumentTooLarge(DocumentError):
    """The file is larger than the limit, or unpacks to more than the limit."""


class DocumentTimeout(DocumentError):
    """Reading the file took too long or too much memory."""


class ModelError(ChatbotError):
    """The weights of a model are missing, unsafe or cannot be used."""

    exit_code = 5


class LibraryError(ChatbotError):
    """The data folder cannot be read or written."""

    exit_code = 6


class LibraryInUse(LibraryError):
    """Another process owns the data folder."""


class QuestionError(ChatbotError):
    """The question is empty or too long, or a filter in it cannot be used."""

    exit_code = 2


class AccessError(ChatbotError):
    """A key or a site is missing, unknown or cannot be made."""

    exit_code = 10


class AccessDenied(AccessError):
    """A key is known, but may not do this."""


class BusyError(ChatbotError):
    """Too many questions are waiting already; after `retry_after_seconds` there may be room."""

    exit_code = 7

    def __init__(self, message: str, next_step: str, retry_after_seconds: int = 5) -> None:
        super().__init__(message, next_step)
        self.retry_after_seconds = retry_after_seconds


class LimitReached(BusyError):
    """A visitor or a site has asked as much as it may for now."""


class ServerError(ChatbotError):
    """The page cannot be served."""

    exit_code = 7
