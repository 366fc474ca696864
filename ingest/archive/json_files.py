"""The values of a JSON file: one document, or one a line."""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator

import orjson

from ingest.archive.encodings import text_of
from ingest.archive.errors import FileRefused, RowRefused
from ingest.archive.files import ArchiveFile, read_whole

_LARGEST = 8 << 30


def read_values(file: ArchiveFile) -> Iterator[tuple[int | None, object]]:
    """Each value with its line; a document has no line, and is the only one.

    A line that is no JSON is given as a `RowRefused`.

    Raises:
        FileRefused: when the file is neither JSON nor JSON lines.
    """
    content = read_whole(file, _LARGEST)
    try:
        yield None, _loads(content)
        return
    except ValueError as error:
        whole_error = error
    lines = text_of(content).lstrip("\ufeff").splitlines()
    first = next((each for each in lines if each.strip()), "")
    if len(lines) < 2 or not _is_json(first):
        raise FileRefused(f"is broken JSON: {whole_error}")
    for number, text in enumerate(lines, start=1):
        if text.strip():
            try:
                yield number, orjson.loads(text)
            except orjson.JSONDecodeError as error:
                yield number, RowRefused(None, text, f"broken JSON: {error}")


def _loads(content: bytes) -> object:
    try:
        return orjson.loads(content.removeprefix(BOM_UTF8))
    except orjson.JSONDecodeError:
        is_wide = content[:2] in (BOM_UTF16_LE, BOM_UTF16_BE) or content[1:2] == b"\x00"
        if not is_wide and _is_utf_8(content):
            raise
        return orjson.loads(text_of(content).lstrip("\ufeff"))


def _is_utf_8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True
