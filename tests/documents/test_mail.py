"""Mail and Outlook messages: who wrote what to whom, and what was attached."""

from __future__ import annotations

import mailbox
import struct
from email.message import EmailMessage
from pathlib import Path

import pytest

from chatbot.documents import mail, outlook
from chatbot.documents.formats import load_document
from chatbot.documents.mail_text import MAX_ATTACHMENT_BYTES, Attachment, Mail, MailBody, add_mail
from chatbot.documents.reader import DocumentReader
from chatbot.documents.text import TextBuilder
from chatbot.errors import CorruptDocument, DocumentTooLarge
from tests.documents.test_formats import check_offsets, describe

REPLY = """Hi Ann,

the night train is fine.

- Oslo
- Bern

On Monday Ann wrote:
> Which train
> do we take?
>> The first
"""


def make_message(subject: str = "Trains", body: str = REPLY) -> EmailMessage:
    """A mail with a head and plain words."""
    message = EmailMessage()
    message["From"] = "Bob Ray <bob@example.org>"
    message["To"] = "Ann Lee <ann@example.org>"
    message["Date"] = "Tue, 04 Mar 2025 10:30:00 +0100"
    message["Subject"] = subject
    message.set_content(body)
    return message


def save(message: EmailMessage, path: Path) -> Path:
    """The path itself, with the message in it."""
    path.write_bytes(message.as_bytes())
    return path


def test_mail_tells_who_wrote_what_to_whom(tmp_path: Path):
    """Subject, head and words of a mail stay in order; what it quotes can be told from what it says."""
    document = load_document(save(make_message(), tmp_path / "trains.eml"))

    assert describe(document) == (
        "heading 1 Trains\n"
        "paragraph 0 From: Bob Ray <bob@example.org>; To: Ann Lee <ann@example.org>; Date: 2025-03-04 10:30\n"
        "paragraph 0 Hi Ann,\nparagraph 0 the night train is fine.\n"
        "list_item 1 Oslo\nlist_item 1 Bern\n"
        "paragraph 0 On Monday Ann wrote:\nparagraph 0 > Which train do we take?\nparagraph 0 >> The first\n"
    )
    assert (document.title, document.date) == ("Trains", "2025-03-04")
    check_offsets(document)


def test_plain_words_are_taken_of_two_forms(tmp_path: Path):
    """Of the same words in two forms one is read: the plain one, or HTML where that is empty."""
    both, empty = make_message(body="Plain words"), make_message(body=" ")
    for message in (both, empty):
        message.add_alternative("<p>HTML <b>words</b><script>never</script></p>", subtype="html")

    first = load_document(save(both, tmp_path / "both.eml")).text
    second = load_document(save(empty, tmp_path / "empty.eml")).text

    assert "Plain words" in first
    assert "HTML" not in first
    assert "HTML words" in second
    assert "never" not in second


def test_attachments_are_named_and_texts_among_them_read(tmp_path: Path):
    """Every attachment is named without folders; texts and mails among them are read below their names."""
    message = make_message(body="See below.")
    message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="plan.pdf")
    message.add_attachment("Bring a coat.", filename="../../etc/list.txt")
    message.add_attachment(make_message("Inner", "Older words."))

    described = describe(load_document(save(message, tmp_path / "files.eml")))

    assert "paragraph 0 Attachments: plan.pdf, list.txt, Inner\n" in described
    assert (
        "heading 2 list.txt\nparagraph 0 Bring a coat.\nheading 2 Inner\nparagraph 0 From: Bob" in described
    )
    assert "Older words." in described
    assert "%PDF" not in described


def test_words_of_a_wrong_encoding_are_kept(tmp_path: Path):
    """A mail that names an encoding that does not exist, and broken head lines, is read all the same."""
    path = tmp_path / "odd.eml"
    path.write_bytes(
        b"From: =?nonsense?Q?x=FF?= <a@b>\nTo: <<<>>>,,;;\nDate: yesterday\nSubject: =?utf-8?B?!!!!?=\n"
        b"Content-Type: text/plain; charset=klingon\n\nThe caf\xe9 is open."
    )

    document = load_document(path)

    assert "The café is open." in document.text
    assert document.date is None


def test_mailbox_holds_a_heading_for_each_message(tmp_path: Path):
    """The messages of a mailbox follow each other below their subjects; the file is the title."""
    path = tmp_path / "board-2025.mbox"
    box = mailbox.mbox(path)
    for subject in ("First", "Second"):
        box.add(make_message(subject, "Words of it."))
    box.close()

    document = load_document(path)

    headings = [
        document.text[block.start : block.end] for block in document.blocks if block.kind == "heading"
    ]
    assert headings == ["First", "Second"]
    assert document.title == "Board 2025"


def test_mail_of_a_thousand_parts_is_read_and_of_more_refused(tmp_path: Path):
    """Many attachments are read, the first of them named; too many parts are refused."""
    for count, name in ((1000, "many.eml"), (mail.MAX_PARTS + 1, "more.eml")):
        parts = "".join(
            f"--B\nContent-Type: image/png\nContent-Disposition: attachment; filename=f{number}.png\n\nx\n"
            for number in range(count)
        )
        (tmp_path / name).write_text(
            f"Subject: Many\nContent-Type: multipart/mixed; boundary=B\n\n--B\n\nThe words.\n{parts}--B--\n"
        )

    assert "f49.png and 950 more" in load_document(tmp_path / "many.eml").text
    with pytest.raises(DocumentTooLarge, match="more than 2,000 parts"):
        load_document(tmp_path / "more.eml")


def test_mails_in_mails_in_mails_are_refused(tmp_path: Path):
    """A mail that nests hundreds of others is refused by name, here and in the child."""
    path = tmp_path / "deep.eml"
    path.write_text("Content-Type: message/rfc822\n\n" * 300 + "Subject: Last\n\nwords")

    with pytest.raises(CorruptDocument, match="nests its messages too deeply"):
        load_document(path)
    with DocumentReader() as reader, pytest.raises(CorruptDocument, match="nests its messages too deeply"):
        reader.read(path)


def test_long_and_binary_attachments_are_only_named():
    """A text that is too long and bytes with the name of a text are named and no more."""
    builder = TextBuilder()
    attachments = [
        Attachment("long.txt", b"x" * (MAX_ATTACHMENT_BYTES + 1)),
        Attachment("odd.txt", bytes(range(256))),
        Attachment("page.html", b"<p>Read this</p>"),
        Attachment("note.md", b"And *this*"),
    ]
    add_mail(builder, Mail("", attachments=attachments, bodies=[MailBody("html", b"<p>caf\xc3\xa9</p>")]))

    assert builder.build()[0] == (
        "(no subject)\n\ncafé\n\nAttachments: long.txt, odd.txt, page.html, note.md\n\n"
        "page.html\n\nRead this\n\nnote.md\n\nAnd this"
    )


# --- Outlook: the smallest archive that olefile opens is written by hand

SECTOR = 512
FREE, END, FAT_SECTOR, NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF


def write_outlook_file(path: Path, streams: dict[str, bytes]) -> None:
    """Write an archive with these streams at its top, each padded to at least 4,096 bytes."""
    bodies = {name: data.ljust(4096, b"\0") for name, data in streams.items()}
    names = list(bodies)
    directory_sectors = (len(names) + 1 + 3) // 4
    table = [FAT_SECTOR, *range(2, directory_sectors + 1), END]
    starts = {}
    for name, data in bodies.items():
        starts[name] = len(table)
        count = -(-len(data) // SECTOR)
        table += [*range(len(table) + 1, len(table) + count), END]
    assert len(table) <= SECTOR // 4
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, END, 0, END, 0)
    header += struct.pack("<109I", 0, *[FREE] * 108)
    entries = [make_entry("Root Entry", 5, NONE, 1 if names else NONE, END, 0)]
    for number, name in enumerate(names, 1):
        right = number + 1 if number < len(names) else NONE
        entries.append(make_entry(name, 2, right, NONE, starts[name], len(bodies[name])))
    directory = b"".join(entries).ljust(directory_sectors * SECTOR, b"\0")
    content = b"".join(data.ljust(-(-len(data) // SECTOR) * SECTOR, b"\0") for data in bodies.values())
    allocation = struct.pack(f"<{len(table)}I", *table).ljust(SECTOR, b"\xff")
    path.write_bytes(header + allocation + directory + content)


def make_entry(name: str, kind: int, right: int, child: int, start: int, size: int) -> bytes:
    """An entry of an archive's directory."""
    letters = name.encode("utf-16-le") + b"\0\0"
    head = struct.pack("<64sHBBIII", letters, len(letters), kind, 1, NONE, right, child)
    return head + bytes(16 + 4 + 8 + 8) + struct.pack("<IQ", start, size)


def test_outlook_message_is_read_by_its_properties(tmp_path: Path):
    """Subject, sender, recipient, time and words are found by the numbers of their properties."""
    path = tmp_path / "trains.msg"
    ticks = 133_855_542_000_000_000  # 4 March 2025, 09:30 UTC, in tenths of microseconds since 1601
    write_outlook_file(
        path,
        {
            "__properties_version1.0": bytes(32) + struct.pack("<HHIQ", 0x40, 0x39, 6, ticks),
            "__substg1.0_0037001F": "Trains".encode("utf-16-le"),
            "__substg1.0_0C1A001F": "Bob Ray".encode("utf-16-le"),
            "__substg1.0_0C1F001E": b"bob@example.org",
            "__substg1.0_0E04001F": "Ann Lee".encode("utf-16-le"),
            "__substg1.0_1000001F": REPLY.encode("utf-16-le"),
        },
    )

    document = load_document(path)

    assert describe(document).startswith(
        "heading 1 Trains\nparagraph 0 From: Bob Ray <bob@example.org>; To: Ann Lee; Date: 2025-03-04 09:30\n"
        "paragraph 0 Hi Ann,\n"
    )
    assert (document.title, document.date) == ("Trains", "2025-03-04")


def test_another_archive_is_no_outlook_message(tmp_path: Path):
    """An old office document with the name of a message, and half a message, are refused."""
    other, cut = tmp_path / "other.msg", tmp_path / "cut.msg"
    write_outlook_file(other, {"WordDocument": b"words"})
    cut.write_bytes(other.read_bytes()[:700])

    with pytest.raises(CorruptDocument, match="not what its name says"):
        load_document(other)
    with pytest.raises(CorruptDocument, match="is damaged"):
        load_document(cut)
    assert outlook.accepts(other.read_bytes())
