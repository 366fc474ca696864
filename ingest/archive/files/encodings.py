"""Which encoding a text file has: seen from all of its bytes, before one character is used.

People put files together, and tools of Windows wrote into files of UTF-8. In such a file each byte
that is no UTF-8 is read as Windows-1252, and the rest as the UTF-8 that it is.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import IO, TextIO

from ingest.archive.files.archive_file import ArchiveFile, chunks

_MIXED = "+cp1252"  # stands behind the encoding of a file that has bytes of both
_DAMAGED = "+damaged"  # stands behind UTF-16 and UTF-32 where some bytes are no characters
_TELLING_BYTES = 128
_BY_BYTE = "windows_1252_bytes"
# A file of Windows-1252 has next to nothing that happens to be UTF-8 too, such as É before ”.
_FEWEST_VALID = 0.1
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def _windows_bytes(error: UnicodeError) -> tuple[str, int]:
    """What bytes that are no UTF-8 are in Windows-1252; its five gaps are control characters."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    odd = error.object[error.start : error.end]
    return "".join(_WINDOWS[byte] for byte in odd), error.end


_WINDOWS = [bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(256)]
codecs.register_error(_BY_BYTE, _windows_bytes)


def find_encoding(file: ArchiveFile) -> str:
    """The name of the codec that reads a file: UTF-8, UTF-16 or UTF-32, else Windows-1252.

    With `+cp1252` behind it the file has bytes of both, with `+damaged` it has bytes that are no
    characters; `opened_text` reads either. Every byte is looked at: the first accent may stand in
    the last row. A damaged zip member shows here as well, before anything of it is used.

    Raises:
        FileRefused: when the file is damaged.
    """
    with file.open() as stream:
        head = stream.read(4096)
    guess = _from_marks(head) or "utf-8"
    if _decodes(file, guess):
        return guess
    if not guess.startswith("utf-8"):
        return guess + _DAMAGED
    valid, invalid = _counts(file, guess)
    if guess == "utf-8-sig" or valid > _FEWEST_VALID * invalid:
        return guess + _MIXED
    return "cp1252"


def encoding_note(name: str, encoding: str) -> str | None:
    """What a run says of a file whose encoding is not one alone; None for all others."""
    if encoding.endswith(_MIXED):
        return f"{name}: is UTF-8 with bytes of Windows-1252 in it; each is read as what it is"
    if encoding.endswith(_DAMAGED):
        codec = encoding.removesuffix(_DAMAGED).upper()
        return f"{name}: some of its bytes are not {codec}; they are read as \ufffd"
    return None


@contextmanager
def opened_text(stream: IO[bytes], encoding: str) -> Iterator[TextIO]:
    """A stream as text, line ends untouched, in an encoding that `find_encoding` found."""
    codec, _, rest = encoding.partition("+")
    # The five bytes that Windows-1252 leaves out are read as control characters.
    by_byte = rest == _MIXED[1:] or codec == "cp1252"
    errors = _BY_BYTE if by_byte else "replace" if rest else "strict"
    text = io.TextIOWrapper(stream, encoding=codec, errors=errors, newline="")
    yield text
    text.detach()


def text_of(content: bytes) -> str:
    """The text of a file that was read at once."""
    encoding = _from_marks(content[:4096]) or "utf-8"
    return content.decode(encoding, _BY_BYTE if encoding.startswith("utf-8") else "replace")


def _from_marks(head: bytes) -> str | None:
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    # Without a mark, it shows where a header, a bracket or a name stands: at the beginning.
    head = head[:_TELLING_BYTES]
    half = len(head) // 2
    if half and head[1::2].count(0) > 0.6 * half:
        return "utf-16-le"
    if half and head[0::2].count(0) > 0.6 * half:
        return "utf-16-be"
    return None


def _decodes(file: ArchiveFile, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    with file.open() as stream:
        try:
            for chunk in chunks(stream):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _counts(file: ArchiveFile, encoding: str) -> tuple[int, int]:
    """How many characters beyond ASCII a file has in UTF-8, and how many bytes are none."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
    valid = invalid = 0
    with file.open() as stream:
        for chunk in chain(chunks(stream), [b""]):
            text = decoder.decode(chunk, final=not chunk)
            beyond = len(text) - len(text.encode("ascii", "ignore"))
            odd = len(text) - len(text.encode("utf-8", "ignore").decode())
            valid, invalid = valid + beyond - odd, invalid + odd
    return valid, invalid
