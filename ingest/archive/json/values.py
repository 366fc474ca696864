"""The values of a JSON file: one document, one a line, or several in a row."""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator

import orjson

from ingest.archive.errors import FileRefused, RowRefused
from ingest.archive.files.archive_file import ArchiveFile, read_whole
from ingest.archive.files.encodings import text_of

_LARGEST = 8 << 30
_SOMETHING = re.compile(r"\S")
_LINE_END = re.compile(r"\r\n|[\r\n]")  # what else ends a line elsewhere may stand in a text


def read_values(file: ArchiveFile) -> Iterator[tuple[int | None, object]]:
    """Each value with its line; a document has no line, and is the only one.

    A line that is no JSON is given as a `RowRefused`, and so is what follows the last whole one
    of several documents.

    Raises:
        FileRefused: when the file is neither JSON, nor JSON lines, nor documents in a row.
    """
    content = read_whole(file, _LARGEST)
    try:
        value = _loads(content)
    except ValueError as error:
        whole_error = error
    else:
        del content  # while the records are looked at, their text is only in the way
        yield None, value
        return
    text = text_of(content).lstrip("\ufeff")
    lines = _LINE_END.split(text)
    if len(lines) > 1 and _are_mostly_json(lines):
        yield from _by_line(lines)
    elif documents := list(_in_a_row(text)):
        yield from documents
    else:
        raise FileRefused(f"is broken JSON: {whole_error}")


def _by_line(lines: list[str]) -> Iterator[tuple[int, object]]:
    for number, text in enumerate(lines, start=1):
        if text.strip():
            try:
                yield number, orjson.loads(text)
            except orjson.JSONDecodeError as error:
                yield number, RowRefused(None, text, f"broken JSON: {error}")


def _are_mostly_json(lines: list[str]) -> bool:
    """Whether the first of the lines is JSON, or else half of them: one may be broken."""
    told = (text for text in lines if text.strip())
    if _is_json(next(told, "")):
        return True
    rest = [text.lstrip()[:1] in ("{", "[") and _is_json(text) for text in told]
    return bool(rest) and sum(rest) * 2 >= len(rest)


def _in_a_row(text: str) -> Iterator[tuple[int, object]]:
    """Documents that stand one behind the other, with nothing between: at least one is whole."""
    decoder = json.JSONDecoder(parse_constant=_refuse_constant)
    place = found = 0
    line = 1
    while start := _SOMETHING.search(text, place):
        line += text.count("\n", place, start.start())
        before = place = start.start()
        try:
            value, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            if found:
                yield line, RowRefused(None, text[place : place + 200], f"broken JSON: {error}")
            return
        found += 1
        yield line, value
        line += text.count("\n", before, place)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


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
