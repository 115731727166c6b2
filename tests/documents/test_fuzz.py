"""Good files of every format with bytes flipped, cut off, doubled and mixed: read or refused, never more."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path

import pytest

from chatbot.documents.reader import DocumentReader
from chatbot.errors import DocumentError
from tests.documents.samples import WORDS, write_samples

CASES, MANY_CASES = 300, 10_000


@pytest.fixture(scope="module")
def samples(tmp_path_factory) -> dict[str, bytes]:
    """The bytes of a good file of every format, by name."""
    folder = tmp_path_factory.mktemp("samples")
    return {path.name: path.read_bytes() for path in write_samples(folder)}


def spoil(content: bytes, other: bytes, rng: random.Random) -> bytes:
    """The content with some damage; half of the archives are damaged inside."""
    if content.startswith(b"PK") and rng.random() < 0.5:
        return spoil_member(content, other, rng)
    return rng.choice([flip, truncate, splice, double, overwrite])(content, other, rng)


def spoil_member(content: bytes, other: bytes, rng: random.Random) -> bytes:
    """An archive that is sound, of which one member is damaged."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(target, "w") as new:
        spoilt = rng.choice(old.namelist())
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, spoil(data, other, rng) if name == spoilt and data[:2] != b"PK" else data)
    return target.getvalue()


def flip(content: bytes, _: bytes, rng: random.Random) -> bytes:
    spoilt = bytearray(content)
    for _time in range(rng.choice([1, 2, 8, 64]) if spoilt else 0):
        spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
    return bytes(spoilt)


def truncate(content: bytes, _: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def splice(content: bytes, other: bytes, rng: random.Random) -> bytes:
    start, end = (rng.randrange(len(other) + 1) for _ in range(2))
    at = rng.randrange(len(content) + 1)
    return content[:at] + other[min(start, end) : max(start, end)] + content[at:]


def double(content: bytes, _: bytes, rng: random.Random) -> bytes:
    start, end = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    return content[:end] + content[start:end] * rng.choice([1, 3, 50]) + content[end:]


def overwrite(content: bytes, _: bytes, rng: random.Random) -> bytes:
    at, length = rng.randrange(len(content) + 1), rng.choice([1, 2, 4, 8])
    value = rng.choice([b"\x00", b"\xff", b"\x7f", b"\x80"]) * length
    return content[:at] + value + content[at + length :]


def test_damaged_files_are_read_or_refused_and_the_reader_goes_on(samples, seed, is_long, tmp_path):
    rng = random.Random(seed)
    names = sorted(samples)
    good = tmp_path / "good.md"
    good.write_text(WORDS)
    refused = 0
    with DocumentReader() as reader:
        for number in range(MANY_CASES if is_long else CASES):
            name = names[number % len(names)]
            path = tmp_path / f"{number}-{name}"
            path.write_bytes(spoil(samples[name], samples[rng.choice(names)], rng))
            try:
                reader.read(path)
            except DocumentError as error:
                refused += 1
                assert path.name in error.message, f"--seed {seed}, case {number}"
                assert error.next_step
            path.unlink()
            if number % 50 == 0:
                assert reader.read(good).text == WORDS, f"--seed {seed}, case {number}"
        assert reader.read(good).text == WORDS
    assert 0 < refused < (MANY_CASES if is_long else CASES)
    assert list(tmp_path.iterdir()) == [good]


def test_the_samples_are_read_while_they_are_whole(samples, tmp_path, reader: DocumentReader):
    for name, content in samples.items():
        path = Path(tmp_path / name)
        path.write_bytes(content)
        if name != "blank.png":
            assert reader.read(path).text
