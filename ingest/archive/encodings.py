"""Which encoding a text file has: seen from all of its bytes, before one character is used."""

from __future__ import annotations

import codecs

from ingest.archive.errors import FileRefused
from ingest.archive.files import ArchiveFile, chunks

_LONGEST_LINE = 32 << 20  # a row of Tracker's longest texts is far shorter
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def find_encoding(file: ArchiveFile) -> str:
    """The name of the codec that reads a file: UTF-8 or UTF-16, else Windows-1252.

    Every byte is looked at: the first accent may stand in the last row. A damaged zip member
    shows here as well, before anything of it is used.

    Raises:
        FileRefused: when the file is damaged.
    """
    with file.open() as stream:
        head = stream.read(4096)
    guess = _from_marks(head)
    for encoding in (guess,) if guess else ("utf-8", "cp1252"):
        if _decodes(file, encoding):
            return encoding
    if guess:
        raise FileRefused(f"begins as {guess} and is none further on")
    return "latin-1"


def text_of(content: bytes) -> str:
    """The text of a file that was read at once."""
    encoding = _from_marks(content[:4096]) or "utf-8"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _from_marks(head: bytes) -> str | None:
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    half = len(head) // 2
    if half and head[1::2].count(0) > 0.6 * half:
        return "utf-16-le"
    if half and head[0::2].count(0) > 0.6 * half:
        return "utf-16-be"
    return None


def _decodes(file: ArchiveFile, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    without_line_end = 0
    with file.open() as stream:
        try:
            for chunk in chunks(stream):
                decoder.decode(chunk)
                has_line_end = b"\n" in chunk or b"\r" in chunk
                without_line_end = 0 if has_line_end else without_line_end + len(chunk)
                if without_line_end > _LONGEST_LINE:
                    raise FileRefused(f"has a line of more than {_LONGEST_LINE >> 20} MB")
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True
