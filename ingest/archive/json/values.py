"""The values of a JSON file: one document, one a line, several in a row, or rows of a loader."""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator

import orjson

from ingest.archive.errors import FileRefused, RowRefused
from ingest.archive.files.archive_file import ArchiveFile, read_whole
from ingest.archive.files.encodings import text_of
from ingest.archive.json.landed import is_landed_table, table_values

_LARGEST = 8 << 30
_SOMETHING = re.compile(r"\S")
# Where the elements of the outer list begin, be it in an envelope.
_LIST = re.compile(r"\s*(?:\{[^\[\]{}]*)?\[")
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
_LINE_END = re.compile(r"\r\n|[\r\n]")  # what else ends a line elsewhere may stand in a text


def read_values(file: ArchiveFile) -> Iterator[tuple[int | None, object]]:
    """Each value with its line; a document has no line, and is the only one.

    What is no JSON is given as a `RowRefused`: a line, an element of a list, and what follows the
    last whole one of several documents. NaN and Infinity, which Python writes, are null.

    Raises:
        FileRefused: when the file is neither JSON, nor JSON lines, nor documents in a row.
    """
    content = read_whole(file, _LARGEST)
    if is_landed_table(content):
        yield from table_values(content)
        return
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
        return
    listed = _LIST.match(text)
    for place in (0, listed.end()) if listed else (0,):
        found = list(_values(text, place))
        if not all(isinstance(value, RowRefused) for _, value in found):
            yield from found
            return
    raise FileRefused(f"is broken JSON: {whole_error}")


def _by_line(lines: list[str]) -> Iterator[tuple[int, object]]:
    for number, text in enumerate(lines, start=1):
        if text.strip():
            try:
                yield number, _loads_text(text)
            except (ValueError, RecursionError) as error:
                yield number, RowRefused(None, text, f"broken JSON: {error}")


def _are_mostly_json(lines: list[str]) -> bool:
    """Whether the first of the lines is JSON, or else half of them: one may be broken."""
    told = (text for text in lines if text.strip())
    if _is_json(next(told, "")):
        return True
    rest = [text.lstrip()[:1] in ("{", "[") and _is_json(text) for text in told]
    return bool(rest) and sum(rest) * 2 >= len(rest)


def _values(text: str, place: int) -> Iterator[tuple[int, object]]:
    """The documents in a row, or the elements of a list, from a place on.

    What is broken is passed over, as far as its brackets tell where it ends.
    """
    is_list, line, counted = place > 0, 1, 0
    while start := _SOMETHING.search(text, place):
        place = start.start()
        if is_list and start[0] == "]":
            return
        if is_list and start[0] == ",":
            place += 1
            continue
        line, counted = line + text.count("\n", counted, place), place
        try:
            value, place = _DECODER.raw_decode(text, place)
            yield line, value
        except (ValueError, RecursionError) as error:
            yield line, RowRefused(None, text[place : place + 200], f"broken JSON: {error}")
            end = _end_of_value(text, place)
            if end is None:
                return
            place = end


def _end_of_value(text: str, start: int) -> int | None:
    """Where a broken object or list ends; None when its brackets do not match."""
    open_brackets: list[str] = []
    for token in _TOKEN.finditer(text, start):
        sign = token[0][0]
        if sign in "[{":
            open_brackets.append(sign)
        elif sign in "]}":
            if not open_brackets or open_brackets.pop() + sign not in ("[]", "{}"):
                return None
            if not open_brackets:
                return token.end()
        elif not open_brackets:
            return None
    return None


_DECODER = json.JSONDecoder(parse_constant=lambda name: None)


def _loads_text(text: str) -> object:
    """One JSON value, also one with what orjson does not read: 1e400, NaN, half a character."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        value, end = _DECODER.raw_decode(text.strip())
        if end != len(text.strip()):
            raise
        return value


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
        _loads_text(text)
    except (ValueError, RecursionError):
        return False
    return True
