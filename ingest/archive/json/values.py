"""Split a JSON file into values: a document, JSON lines, a sequence of documents, or other text."""

from __future__ import annotations

import io
import json
import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import IO, NamedTuple

import orjson

from ingest.archive.errors import FileRefused, RowRefused
from ingest.archive.files.archive_file import ArchiveFile, read_whole
from ingest.archive.files.encodings import text_of
from ingest.archive.json.large import (
    LARGE_BYTES,
    LARGEST_BROKEN,
    is_large,
    read_broken,
    read_large,
)
from ingest.archive.json.loader_output import is_loader_table, table_values
from ingest.archive.json.walk import Found, Walk

_LARGEST = 8 << 30
_LONGEST_LINE = 64 << 20  # the first line can be the whole document
_LONGEST_CHECKED = 8 << 20
# In joined files, each of them may start with a byte order mark.
_AROUND = "\ufeff \t\r\n"
_NOT_SPACE = re.compile(r"[^\s\ufeff]")
# The start of the outer list, which may be in an envelope.
_LIST = re.compile(r"\s*(?:\{[^\[\]{}]*)?\[")
_OPEN = ("{", "[")
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
_LINE_END = re.compile(r"\r\n|[\r\n]")  # JSON strings may contain Unicode's other line ends
# The start of an object with a field, or of a list of objects or lists.
_OPENING = re.compile(r'\{(?=\s*"(?:[^"\\]|\\.)*"\s*:)|\[(?=\s*[\[{])')
_HTTP_HEAD = re.compile(r"^HTTP/[\d.]+ \d{3}.*\n(?:[\w-]+: ?.*\n)*", re.MULTILINE)
_MOST_SEARCHED = 1 << 36  # characters; an attempt that fails searches everything before it


class Place(NamedTuple):
    """Where a value is in its file.

    Attributes:
        line: the line on which it starts, from 1; None if unknown.
        number: its position among the values, from 1; None if there is one on each line.
    """

    line: int | None
    number: int | None


def read_values(file: ArchiveFile) -> Iterator[tuple[Place, object]]:
    """Read the values of a file, each with its place.

    Invalid lines, list elements, and text around valid documents are returned as `RowRefused`. NaN
    and Infinity, which Python's json writes, become null. A document of more than a megabyte may
    contain a `LargeList` in place of a list; the objects around it are each a `LargeObject`.

    Raises:
        FileRefused: if the file is not JSON in any of these forms.
    """
    if is_large(file):
        if has_json_lines(file):
            yield from _read_lines(file)
            return
        if (value := read_large(file, parse_value)) is not None:
            yield Place(None, 1), value
            return
        if is_large(file, LARGEST_BROKEN) and _starts_like_json(file):
            yield from _read_broken(file)
            return
    content = read_whole(file, _LARGEST)
    if is_loader_table(content):
        for number, (line, value) in enumerate(table_values(content), 1):
            yield Place(line, number if line is None else None), value
        return
    try:
        value = _loads(content)
    except ValueError as error:
        whole_error = error
    else:
        del content  # to save memory
        yield Place(None, 1), value
        return
    text = text_of(content).lstrip("\ufeff")
    is_json_at_first = text.lstrip()[:1] in (*_OPEN, '"')
    found = [] if is_json_at_first else _values_in_other_text(text)
    lines = _LINE_END.split(text)
    if not found and _are_mostly_json(lines):
        yield from ((Place(line, None), value) for line, value in _by_line(lines))
        return
    found = found or list(_values(text, 0))
    listed = _LIST.match(text)
    if listed and not _has_document(found):
        found = list(_values(text, listed.end()))
    if is_json_at_first and (not _has_document(found) or _ends_with_other_text(found)):
        found = _values_in_other_text(text) or found
    if not _has_document(found):
        raise FileRefused(f"is invalid JSON: {whole_error}")
    for number, (line, value) in enumerate(found, 1):
        yield Place(line, number), value


def has_json_in_other_text(file: ArchiveFile) -> bool:
    """Whether a file is text that contains JSON with at least one record.

    Raises:
        FileRefused: if it is damaged.
    """
    if is_large(file, LARGEST_BROKEN):
        return False
    values = _values_in_other_text(text_of(read_whole(file, LARGEST_BROKEN)))
    return any(isinstance(each, Found) for _, value in values for each in Walk().records(value))


def _read_broken(file: ArchiveFile) -> Iterator[tuple[Place, object]]:
    """Read what is complete in a file that is too large to be searched for valid values in memory.

    Raises:
        FileRefused: if nothing is.
    """
    with file.open() as stream:
        has_lines = _are_mostly_json(map(text_of, _short_lines(_buffered(stream))))
    if has_lines:
        yield from _read_lines(file)
        return
    refused: list[tuple[Place, object]] = []
    values = ((Place(None, number), value) for number, value in read_broken(file, parse_value))
    for each in values:
        if not isinstance(each[1], RowRefused):
            yield from refused
            yield each
            yield from values
            return
        refused.append(each)
    raise FileRefused(f"is invalid JSON: {refused[0][1]}" if refused else "is invalid JSON")


def _starts_like_json(file: ArchiveFile) -> bool:
    """Whether a file is text that is not in UTF-16 or UTF-32."""
    with file.open() as stream:
        return b"\0" not in stream.read(128)


def _short_lines(stream: io.BufferedReader) -> Iterator[bytes]:
    """The lines of a file; longer ones are cut, and are no valid JSON then."""
    while line := stream.readline(_LONGEST_CHECKED):
        yield line
        while not line.endswith(b"\n") and (line := stream.readline(_LONGEST_CHECKED)):
            pass


def has_json_lines(file: ArchiveFile) -> bool:
    """Whether a file has several lines, with JSON on the first."""
    with file.open() as stream:
        lines = _buffered(stream)
        first, others = lines.readline(_LONGEST_LINE), lines.read(LARGE_BYTES)
    is_line = first.endswith(b"\n") and first.strip()[:1] in (b"{", b"[")
    if not (is_line and others.strip()):
        return False
    try:
        parse_value(first)
    except (ValueError, RecursionError):
        return False
    return True


def _read_lines(file: ArchiveFile) -> Iterator[tuple[Place, object]]:
    with file.open() as stream:
        for line, value in _by_line(map(text_of, _buffered(stream))):
            yield Place(line, None), value


def _buffered(stream: IO[bytes]) -> io.BufferedReader:
    """Read lines through the stream's `read`, which bounds what a gzip unpacks to."""
    return io.BufferedReader(stream)  # type: ignore[arg-type] # all of them have `readinto`


def _by_line(lines: Iterable[str]) -> Iterator[tuple[int, object]]:
    for number, text in enumerate(lines, start=1):
        if text.strip():
            yield from ((number, value) for value in _values_of_line(text))


def _values_of_line(text: str) -> Iterator[object]:
    """The value of a line; several if a line end between them was lost."""
    try:
        yield _loads_text(text)
        return
    except (ValueError, RecursionError) as error:
        refused = RowRefused(None, text, f"invalid JSON: {error}")
    # The brackets of a list that is invalid as a whole may be around its first and last lines.
    inner = text.strip(_AROUND + ",")
    starts_list = inner.startswith("[")
    found = [
        value
        for _, value in _values(inner if starts_list else inner.removesuffix("]"), int(starts_list))
    ]
    if inner not in ("[", "]"):
        is_any = any(isinstance(each, dict | list) for each in found[: None if starts_list else 1])
        yield from found if is_any else [refused]


def _are_mostly_json(lines: Iterable[str]) -> bool:
    """Whether the first line is valid JSON, or else at least half of those that could be.

    They start like an object or a list, and are not indented further than the first of them.
    """
    filled = (each for each in lines if each.strip())
    if _is_json(next(filled, "")):
        return True
    outermost, counted = None, Counter[bool]()
    for text in filled:
        bare = text.lstrip()
        indent = len(text) - len(bare)
        if bare[0] not in "{[" or indent > (indent if outermost is None else outermost):
            continue
        outermost = indent if outermost is None else outermost
        values = list(_values_of_line(text))
        counted[bool(values) and not any(isinstance(each, RowRefused) for each in values)] += 1
    return counted[True] > 0 and counted[True] >= counted[False]


def _values(text: str, place: int) -> Iterator[tuple[int, object]]:
    """The sequence of documents, or the elements of a list, that starts at an index.

    Invalid values are skipped if their brackets show where they end.
    """
    is_list, line, counted = place > 0, 1, 0
    while start := _NOT_SPACE.search(text, place):
        place = start.start()
        if is_list and start[0] == "]":
            return
        if start[0] == ",":
            place += 1
            continue
        line, counted = line + text.count("\n", counted, place), place
        try:
            value, place = _DECODER.raw_decode(text, place)
            yield line, value
        except (ValueError, RecursionError) as error:
            yield line, RowRefused(None, text[place : place + 200], f"invalid JSON: {error}")
            end = _end_of_value(text, place)
            if end is None:
                return
            place = end


def _values_in_other_text(text: str) -> list[tuple[int, object]]:
    """The objects and lists in a text such as a script or a log, with their lines.

    The text around them is one `RowRefused`, which comes first. There are no values if most of the
    text is not JSON, apart from the headers of saved responses: a manual's examples are no data.
    """
    found: list[tuple[int, object]] = []
    others: list[str] = []
    line, counted, end, last, searched = 1, 0, 0, 0, 0
    while start := _OPENING.search(text, end):
        place = start.start()
        line, counted = line + text.count("\n", counted, place), place
        others.append(text[last:place].strip())
        try:
            value, end = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            end = place + 1  # what is complete in it is read
            searched += getattr(error, "pos", _MOST_SEARCHED >> 10)
            if searched > _MOST_SEARCHED:
                return []
            if place >= last:
                refused = RowRefused(None, text[place : place + 200], f"invalid JSON: {error}")
                found.append((line, refused))
            last = max(last, getattr(error, "pos", end))
        else:
            found.append((line, value))
            last = max(last, end)
    others = [each for each in (*others, text[last:].strip()) if each]
    size = sum(map(len, others))
    heads = sum(len(head[0]) for head in _HTTP_HEAD.finditer(text))
    if size - heads > len(text) - size or not _has_document(found):
        return []
    reason = f"{size:,} characters around the JSON in this file were not read"
    return [(1, RowRefused(None, others[0][:200], reason)), *found] if others else found


def _has_document(found: list[tuple[int, object]]) -> bool:
    return any(
        isinstance(value, dict | list) or (isinstance(value, str) and value.lstrip()[:1] in _OPEN)
        for _, value in found
    )


def _ends_with_other_text(found: list[tuple[int, object]]) -> bool:
    """Whether the last value is neither valid nor the start of an object or a list."""
    last = found[-1][1] if found else None
    return isinstance(last, RowRefused) and str(last.value)[:1] not in _OPEN


def _end_of_value(text: str, start: int) -> int | None:
    """The end of an invalid object or list; None if its brackets do not match."""
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


# Scripts that write JSON without a library leave line breaks and tabs in texts as they are.
_DECODER = json.JSONDecoder(parse_constant=lambda name: None, strict=False)


def _loads_text(text: str) -> object:
    """Parse a JSON value, including 1e400, NaN, lone surrogates and line breaks in texts."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        # The lines of a list end with commas.
        text = text.strip(_AROUND).removesuffix(",").rstrip()
        value, end = _DECODER.raw_decode(text)
        if end != len(text):
            raise
        return value


def parse_value(content: bytes) -> object:
    """Parse a JSON value, including what orjson rejects.

    Raises:
        ValueError: if it is invalid.
        RecursionError: if it is nested too deeply.
    """
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return _loads_text(text_of(content).lstrip("\ufeff"))


def _loads(content: bytes) -> object:
    try:
        return orjson.loads(content.removeprefix(BOM_UTF8))
    except orjson.JSONDecodeError:
        return orjson.loads(text_of(content).lstrip("\ufeff"))


def _is_json(text: str) -> bool:
    try:
        _loads_text(text)
    except (ValueError, RecursionError):
        return False
    return True
