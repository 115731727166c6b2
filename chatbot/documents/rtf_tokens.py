"""Rich Text Format sign by sign: groups, control words, and text in whatever encoding it is."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

MAX_GROUPS = 10_000
"""Groups inside each other; no program writes more than some dozens."""

_SIGN = re.compile(
    r"\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,9})? ?|\\'(?P<hex>[0-9a-fA-F]{2})|\\(?P<symbol>[^a-zA-Z])"
    r"|(?P<brace>[{}])|[\r\n]+|(?P<text>[^\\{}\r\n]+)|\\",
    re.DOTALL,
)
_SYMBOLS = {"~": " ", "_": "-", "\\": "\\", "{": "{", "}": "}", "\n": "\n", "\r": "\n"}
_CHARACTERS = {
    **{"line": "\n", "lbr": "\n", "tab": "\t", "emdash": "—", "endash": "–", "bullet": "•", "lquote": "‘"},
    **{"rquote": "’", "ldblquote": "“", "rdblquote": "”", "emspace": " ", "enspace": " ", "nestcell": "\n"},
}
_CHARSETS = {
    **{77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gbk", 136: "big5", 161: "cp1253"},
    **{162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251"},
    **{222: "cp874", 238: "cp1250"},
}


@dataclass(frozen=True, slots=True)
class Token:
    """The begin or end of a group, a control word with its number, or some text.

    `is_optional` marks a word that begins a group which a reader that does not know it passes over.
    """

    kind: Literal["begin", "end", "word", "text"]
    text: str = ""
    number: int | None = None
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class _Group:
    """What tells how the letters of a group are read."""

    font: int = 0
    fallback_signs: int = 1


def read_tokens(source: str) -> Iterator[Token]:
    """Yield the tokens of a document the bytes of which are the characters of `source`.

    Raises ValueError where groups lie too deep inside each other.
    """
    return _Tokenizer(source).read()


class _Tokenizer:
    def __init__(self, source: str) -> None:
        self._source = source
        self._position = 0
        self._groups = [_Group()]
        self._fonts: dict[int, str] = {}
        self._encoding = "cp1252"
        self._bytes = bytearray()
        self._skipped_signs = 0
        self._is_optional = False

    def read(self) -> Iterator[Token]:
        while match := _SIGN.match(self._source, self._position):
            self._position = match.end()
            if self._take_letters(match):
                continue
            if self._bytes:
                yield Token("text", self._decode_bytes())
            if match["brace"]:
                yield self._take_brace(match["brace"])
                if len(self._groups) == 1:
                    return
            elif match["word"]:
                yield from self._take_word(match["word"], match["number"])
            elif match["symbol"] == "*":
                self._is_optional = True
            elif text := _SYMBOLS.get(match["symbol"] or ""):
                yield Token("text", text)
        if self._bytes:
            yield Token("text", self._decode_bytes())

    def _take_letters(self, match: re.Match[str]) -> bool:
        """Keep letters until they can be decoded together; False where the token is something else."""
        if not match["hex"] and not match["text"]:
            return match["brace"] is match["word"] is match["symbol"] is None
        letters = bytes.fromhex(match["hex"]) if match["hex"] else match["text"].encode("latin-1", "replace")
        skipped = min(self._skipped_signs, len(letters))
        self._skipped_signs -= skipped
        self._bytes += letters[skipped:]
        return True

    def _decode_bytes(self) -> str:
        text = self._bytes.decode(self._fonts.get(self._groups[-1].font, self._encoding), "replace")
        self._bytes.clear()
        return text

    def _take_brace(self, brace: str) -> Token:
        self._skipped_signs = 0
        self._is_optional = False
        if brace == "}":
            self._groups.pop()
            return Token("end")
        if len(self._groups) > MAX_GROUPS:
            raise ValueError("The groups lie too deep inside each other.")
        self._groups.append(self._groups[-1])
        return Token("begin")

    def _take_word(self, word: str, digits: str | None) -> Iterator[Token]:
        number = int(digits) if digits else None
        is_optional, self._is_optional = self._is_optional, False
        if word == "bin":
            self._position += max(number or 0, 0)
        elif word == "u" and number is not None:
            yield Token("text", chr(number % 2**16))
            self._skipped_signs = self._groups[-1].fallback_signs
        elif word in _CHARACTERS:
            yield Token("text", _CHARACTERS[word])
        else:
            self._set_encoding(word, number or 0)
            yield Token("word", word, number, is_optional)

    def _set_encoding(self, word: str, number: int) -> None:
        match word:
            case "ansicpg":
                self._encoding = _find_encoding(f"cp{number}", "cp1252")
            case "mac":
                self._encoding = "mac_roman"
            case "f":
                self._groups[-1] = replace(self._groups[-1], font=number)
            case "uc":
                self._groups[-1] = replace(self._groups[-1], fallback_signs=max(number, 0))
            case "fcharset" if number in _CHARSETS:
                self._fonts[self._groups[-1].font] = _CHARSETS[number]


def _find_encoding(name: str, default: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError:
        return default
