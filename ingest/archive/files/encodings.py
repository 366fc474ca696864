"""Detect the encoding of a text file, from all of its bytes.

Some files mix encodings, because they were concatenated or edited with Windows programs. In a UTF-8
file, bytes that are not valid UTF-8 are read as Windows-1252.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import IO, TextIO

from ingest.archive.files.archive_file import ArchiveFile, chunks

_MIXED = "+cp1252"  # suffix for UTF-8 files that contain Windows-1252 bytes
_DAMAGED = "+damaged"  # suffix for UTF-16 and UTF-32 files with invalid bytes
_HEAD_BYTES = 128
_ERROR_HANDLER = "windows_1252_bytes"
# Windows-1252 text rarely contains sequences that are valid UTF-8 too, such as É followed by ”.
_MIN_VALID_SHARE = 0.1
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def _windows_bytes(error: UnicodeError) -> tuple[str, int]:
    """Decode invalid UTF-8 as Windows-1252; its five undefined bytes become control characters."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    odd = error.object[error.start : error.end]
    return "".join(_WINDOWS[byte] for byte in odd), error.end


_WINDOWS = [bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(256)]
codecs.register_error(_ERROR_HANDLER, _windows_bytes)


def find_encoding(file: ArchiveFile) -> str:
    """Detect a file's encoding: UTF-8, UTF-16 or UTF-32, or else Windows-1252.

    The suffix `+cp1252` means that a UTF-8 file also contains Windows-1252 bytes, `+damaged` that a
    file contains invalid bytes; `opened_text` accepts both. The whole file is read, because the
    first accent may be in the last row. This also detects damage before any of the data is used.

    Raises:
        FileRefused: if the file is damaged.
    """
    with file.open() as stream:
        head = stream.read(4096)
    guess = _from_marks(head) or "utf-8"
    if _decodes(file, guess):
        return guess
    if not guess.startswith("utf-8"):
        return guess + _DAMAGED
    valid, invalid = _counts(file, guess)
    if guess == "utf-8-sig" or valid > _MIN_VALID_SHARE * invalid:
        return guess + _MIXED
    return "cp1252"


def encoding_note(name: str, encoding: str) -> str | None:
    """A note for the run's summary about an encoding that is mixed, damaged or assumed, or None."""
    if encoding.endswith(_MIXED):
        return f"{name}: is a mix of UTF-8 and Windows-1252; both were decoded"
    if encoding.endswith(_DAMAGED):
        codec = encoding.removesuffix(_DAMAGED).upper()
        return f"{name}: some bytes are not valid {codec}; they were replaced by \ufffd"
    if encoding == "cp1252":
        return f"{name}: was read as Windows-1252; if letters are wrong, save it as UTF-8"
    return None


@contextmanager
def opened_text(stream: IO[bytes], encoding: str) -> Iterator[TextIO]:
    """Decode a stream with an encoding from `find_encoding`; line ends are not converted."""
    codec, _, rest = encoding.partition("+")
    by_byte = rest == _MIXED[1:] or codec == "cp1252"
    errors = _ERROR_HANDLER if by_byte else "replace" if rest else "strict"
    text = io.TextIOWrapper(stream, encoding=codec, errors=errors, newline="")
    yield text
    text.detach()


def text_of(content: bytes) -> str:
    """Decode the content of a whole file."""
    encoding = _from_marks(content[:4096]) or "utf-8"
    return content.decode(encoding, _ERROR_HANDLER if encoding.startswith("utf-8") else "replace")


def _from_marks(head: bytes) -> str | None:
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    # Without a byte order mark, detect UTF-16 by the zero bytes of ASCII characters at the start.
    head = head[:_HEAD_BYTES]
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
    """The number of valid non-ASCII characters, and of invalid bytes, in a UTF-8 file."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
    valid = invalid = 0
    with file.open() as stream:
        for chunk in chain(chunks(stream), [b""]):
            text = decoder.decode(chunk, final=not chunk)
            beyond = len(text) - len(text.encode("ascii", "ignore"))
            odd = len(text) - len(text.encode("utf-8", "ignore").decode())
            valid, invalid = valid + beyond - odd, invalid + odd
    return valid, invalid
