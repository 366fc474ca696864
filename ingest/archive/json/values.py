"""Split a JSON file into values: a single document, JSON lines, or a sequence of documents."""

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

_LARGEST = 8 << 30
_LONGEST_LINE = 64 << 20  # the first line can be the whole document
_LONGEST_CHECKED = 8 << 20
# In joined files, each of them may start with a byte order mark.
_AROUND = "\ufeff \t\r\n"
_NOT_SPACE = re.compile(r"[^\s\ufeff]")
# The start of the outer list, which may be in an envelope.
_LIST = re.compile(r"\s*(?:\{[^\[\]{}]*)?\[")
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
_LINE_END = re.compile(r"\r\n|[\r\n]")  # JSON strings may contain Unicode's other line ends


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

    Invalid lines, list elements, and text after a valid document are returned as `RowRefused`. NaN
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
    lines = _LINE_END.split(text)
    if _are_mostly_json(lines):
        yield from ((Place(line, None), value) for line, value in _by_line(lines))
        return
    listed = _LIST.match(text)
    for place in (0, listed.end()) if listed else (0,):
        found = list(_values(text, place))
        if not all(isinstance(value, RowRefused) for _, value in found):
            for number, (line, value) in enumerate(found, 1):
                yield Place(line, number), value
            return
    raise FileRefused(f"is invalid JSON: {whole_error}")


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


_DECODER = json.JSONDecoder(parse_constant=lambda name: None)


def _loads_text(text: str) -> object:
    """Parse a JSON value, including what orjson rejects: 1e400, NaN, lone surrogates."""
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
