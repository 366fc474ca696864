"""Read JSON documents of any size in bounded memory.

The large lists of a document stay in the file. Their elements are parsed a megabyte at a time, when
a caller iterates over them; the rest of the document is parsed at once.
"""

from __future__ import annotations

import io
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import IO, Any, NamedTuple
from uuid import uuid4

import numpy as np
import orjson

from ingest.archive.errors import RowRefused
from ingest.archive.files.archive_file import ArchiveFile, seekable
from ingest.archive.json.kinds import table_of
from ingest.records import Record

LARGEST_BROKEN = 64 << 20  # larger files that are invalid as a whole are not read into memory
LARGE_BYTES = 1 << 20  # smaller lists are parsed with what surrounds them
_DEEPEST = 16  # lists nested deeper are parsed with what surrounds them
_SPACE_AND_COMMAS = b" \t\r\n,"
_HEAD = 4096
_COPIED_BYTES = 1 << 20
_EXCERPT = 200
_UNBALANCED = "unbalanced brackets or quotes"
_QUOTE, _BACKSLASH, _LETTER_CASE, _OPEN, _CLOSE = 0x22, 0x5C, 0x20, 0x7B, 0x7D

Parse = Callable[[bytes], object]


class LargeObject(dict[str, Any]):
    """An object that contains large lists, directly or nested."""

    def without_large_lists(self, apart_from: Iterable[str] = ()) -> Record:
        """A copy with ordinary lists in place of large ones, except in some of its fields."""
        return {
            name: value if name in apart_from else _in_memory(value) for name, value in self.items()
        }


class LargeList:
    """A list of objects in a file.

    Attributes:
        others: if some elements were read in another way, the remaining ones, each with its
            position from 1; otherwise None.
    """

    def __init__(
        self,
        stream: IO[bytes],
        start: int,
        end: int,
        parse: Parse,
        is_broken: bool = False,
        is_open: bool = False,
    ) -> None:
        """The list between two offsets of a file, which are those of its brackets.

        Args:
            stream: the file.
            start: the offset of its opening bracket.
            end: the offset of its closing bracket, or the end of the file.
            parse: how to parse an element.
            is_broken: whether brackets or quotes of the file do not match.
            is_open: whether it has no closing bracket.
        """
        self.others: list[tuple[int, object]] | None = None
        self._stream, self._start, self._end, self._parse = stream, start, end, parse
        self._is_broken, self._is_open = is_broken, is_open

    def numbered(self) -> Iterator[tuple[int, object]]:
        """Its elements with their positions, from 1; an invalid one is a `RowRefused`."""
        if self.others is None:
            yield from enumerate(self._elements(), 1)
        else:
            yield from self.others

    def chunks(self) -> Iterator[bytes]:
        """Its JSON text."""
        return _chunks(self._stream, self._start, self._end + 1, _COPIED_BYTES)

    def inner_lists(self) -> Iterator[LargeList]:
        """The large lists in its elements."""
        for piece in self._pieces:
            if isinstance(piece, LargeObject):
                yield from large_lists(piece)

    def _elements(self) -> Iterator[object]:
        for piece in self._pieces:
            if isinstance(piece, _Run):
                yield from self._parsed(_bytes(self._stream, *piece))
            else:
                yield piece

    def _parsed(self, text: bytes) -> Iterable[object]:
        try:
            return orjson.loads(b"[%b]" % text.strip(_SPACE_AND_COMMAS))
        except orjson.JSONDecodeError:
            return self._parsed_one_by_one(text)

    def _parsed_one_by_one(self, text: bytes) -> Iterator[object]:
        last = 0
        for places, is_open in _brackets_at(1, io.BytesIO(text), 0, len(text)):
            for place, opens in zip(places.tolist(), is_open.tolist(), strict=True):
                end = place if opens else place + 1
                if piece := text[last:end].strip(_SPACE_AND_COMMAS):
                    yield self._parsed_or_refused(piece)
                last = end
        if piece := text[last:].strip(_SPACE_AND_COMMAS):
            yield self._parsed_or_refused(piece)

    def _parsed_or_refused(self, text: bytes) -> object:
        try:
            return self._parse(text)
        except (ValueError, RecursionError) as error:
            value = text[:_EXCERPT].decode(errors="replace")
            return RowRefused(None, value, f"invalid JSON: {error}")

    @cached_property
    def _pieces(self) -> list[_Run | object]:
        """Its large elements, and runs of the others."""
        pieces: list[_Run | object] = []
        opened: int | None = None  # the start of the current element
        first = last = self._start + 1  # of the current run; after the last element
        try:
            for places, is_open in _brackets_at(1, self._stream, first, self._end):
                for place, opens in zip(places.tolist(), is_open.tolist(), strict=True):
                    if opens:
                        opened = place
                        continue
                    assert opened is not None
                    if place - opened >= LARGE_BYTES:
                        pieces += [_Run(first, opened), self._document(opened, place + 1)]
                        first = place + 1
                    elif place - first >= LARGE_BYTES:
                        pieces.append(_Run(first, place + 1))
                        first = place + 1
                    opened, last = None, place + 1
        except ValueError:  # from here on nothing is certain
            broken = last if opened is None else opened
            return [*pieces, _Run(first, broken), self._document(broken, self._end)]
        pieces.append(_Run(first, self._end))
        if self._is_open:
            pieces.append(RowRefused(None, None, "invalid JSON: the list does not end"))
        return pieces

    def _document(self, start: int, end: int) -> object:
        try:
            return _document(self._stream, start, end, self._parse, self._is_broken)
        except (ValueError, RecursionError) as error:
            value = _bytes(self._stream, start, start + _EXCERPT).decode(errors="replace")
            return RowRefused(None, value, f"invalid JSON: {error}")


class _Run(NamedTuple):
    """Elements of a list, between two offsets."""

    start: int
    end: int


def is_large(file: ArchiveFile, size: int | None = None) -> bool:
    """Whether a file is at least a megabyte, or another size, long when unpacked.

    Raises:
        FileRefused: if it is damaged.
    """
    size = size or LARGE_BYTES
    with file.open() as stream:
        return len(stream.read(size)) == size


def read_large(file: ArchiveFile, parse: Parse) -> object | None:
    """Read a large document; None for a file that is not one JSON document.

    Args:
        file: the file, which may be compressed or in a zip.
        parse: how to parse a piece of the document.
    """
    stream, start, size = _opened(file)
    if _bytes(stream, start, start + _HEAD).lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        return _document(stream, start, size, parse)
    except (ValueError, RecursionError):
        return None


def read_broken(file: ArchiveFile, parse: Parse) -> Iterator[tuple[int, object]]:
    """Read the documents of a large file whose brackets or quotes do not match.

    Of a document that does not end, the complete elements of its first list of records are read.
    The rest is a `RowRefused`.
    """
    stream, start, size = _opened(file)
    return LargeList(stream, start - 1, size, parse, is_broken=True).numbered()


def _opened(file: ArchiveFile) -> tuple[IO[bytes], int, int]:
    """A file that is closed with the last list in it, the start of its text, and its size."""
    stream = seekable(file)
    size = stream.seek(0, 2)
    start = len(BOM_UTF8) if _bytes(stream, 0, len(BOM_UTF8)) == BOM_UTF8 else 0
    return stream, start, size


def large_lists(value: object) -> Iterator[LargeList]:
    """The large lists of records in a value, except those that belong to a record or a list.

    The lists of a project are records of their own; those of other records are their fields.
    """
    if isinstance(value, LargeList):
        yield value
    elif isinstance(value, list) or (
        isinstance(value, LargeObject) and table_of(value) in (None, "projects")
    ):
        for each in value.values() if isinstance(value, dict) else value:
            yield from large_lists(each)


def _document(
    stream: IO[bytes], start: int, end: int, parse: Parse, is_broken: bool = False
) -> object:
    """Parse a document without its outermost large lists.

    Raises:
        ValueError: if it is invalid JSON, apart from the elements of these lists.
    """
    cut, unclosed = _large_spans(stream, start, end, is_broken)
    if is_broken and end - start - sum(closed - opened for opened, closed in cut) > LARGEST_BROKEN:
        raise ValueError(_UNBALANCED)
    mark = uuid4().hex  # stands for a list in the text that is parsed
    pieces, last = [], start
    for number, (opened, closed) in enumerate(cut):
        pieces += [_bytes(stream, last, opened), orjson.dumps(f"{mark}.{number}")]
        last = min(closed + 1, end)
    value = parse(b"".join([*pieces, _bytes(stream, last, end), unclosed]))
    if not cut:
        return value
    lists = {
        f"{mark}.{number}": LargeList(stream, *span, parse, is_broken, span[1] == end)
        for number, span in enumerate(cut)
    }
    value = _with_lists(value, lists)
    if unclosed and not _is_envelope(value):
        raise ValueError(_UNBALANCED)
    return value


def _is_envelope(value: object) -> bool:
    """Whether what surrounds the large lists in a value is no record, but for a project."""
    if isinstance(value, LargeObject):
        is_record = table_of(value) not in (None, "projects")
        return not is_record and all(map(_is_envelope, value.values()))
    return not isinstance(value, list) or all(map(_is_envelope, value))


def _with_lists(value: object, lists: dict[str, LargeList]) -> object:
    """Put the large lists in their places."""
    if isinstance(value, str):
        return lists.get(value, value)
    if isinstance(value, list):
        return [_with_lists(each, lists) for each in value]
    if isinstance(value, dict):
        changed = {name: _with_lists(each, lists) for name, each in value.items()}
        is_large = any(map(_is_large, changed.values()))
        return LargeObject(changed) if is_large else changed
    return value


def _is_large(value: object) -> bool:
    is_in_list = isinstance(value, list) and any(map(_is_large, value))
    return is_in_list or isinstance(value, LargeList | LargeObject)


def _in_memory(value: object) -> object:
    if isinstance(value, LargeList):
        return [_in_memory(each) for _, each in value.numbered()]
    if isinstance(value, list):
        return [_in_memory(each) for each in value]
    return value.without_large_lists() if isinstance(value, LargeObject) else value


def _large_spans(
    stream: IO[bytes], start: int, end: int, is_broken: bool
) -> tuple[list[tuple[int, int]], bytes]:
    """The brackets of the outermost large lists of objects, and the brackets that do not close.

    If the document is broken, its first list of objects that does not close extends to the end, and
    the brackets are those around it.

    Raises:
        ValueError: if brackets or quotes do not match, and no such list is found.
    """
    spans: list[tuple[int, int]] = []
    opened: dict[int, int] = {}  # level -> the last bracket that opened it
    unclosed = b""
    try:
        for places, levels, is_open, signs in _levels(stream, start, end):
            for level in np.unique(levels[levels <= _DEEPEST]).tolist():
                at_level = np.flatnonzero(levels == level)
                first, final = at_level[0], at_level[-1]
                if not is_open[first]:
                    span = (opened[level], int(places[first]))
                    if _bytes(stream, span[0], span[0] + 1)[0] + 2 != signs[first]:
                        raise ValueError(_UNBALANCED)  # such as a list that ends with a brace
                    del opened[level]
                    if signs[first] == ord("]") and span[1] - span[0] >= LARGE_BYTES:
                        spans.append(span)
                if is_open[final]:
                    opened[level] = int(places[final])
    except ValueError:
        lists = (level for level in opened if _is_list_of_objects(stream, opened[level]))
        found = min(lists, default=None) if is_broken else None
        if found is None:
            raise
        spans.append((opened[found], end))
        around = [_bytes(stream, opened[level], opened[level] + 1) for level in range(1, found)]
        unclosed = b"".join(around[::-1]).translate(bytes.maketrans(b"[{", b"]}"))
    outermost: list[tuple[int, int]] = []
    for span in sorted(spans):
        is_inside = outermost and span[0] < outermost[-1][1]
        if not is_inside and _is_list_of_objects(stream, span[0]):
            outermost.append(span)
    return outermost, unclosed


def _is_list_of_objects(stream: IO[bytes], start: int) -> bool:
    return re.match(rb"\[\s*\{", _bytes(stream, start, start + _HEAD)) is not None


def _brackets_at(
    level: int, stream: IO[bytes], start: int, end: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The offsets of the brackets at a level, and whether each opens it."""
    for places, levels, is_open, _ in _levels(stream, start, end):
        chosen = levels == level
        yield places[chosen], is_open[chosen]


def _levels(
    stream: IO[bytes], start: int, end: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """The offset, level from 1, direction and character of each bracket outside of strings.

    Raises:
        ValueError: if brackets or quotes do not match.
    """
    level, is_in_string, offset, rest = 0, False, start, b""
    for chunk in _chunks(stream, start, end, LARGE_BYTES):
        text = rest + chunk
        # A chunk does not end between backslashes and the character that they escape.
        tail = len(text) - len(text.rstrip(b"\\"))
        text, rest = (text[:-tail], text[-tail:]) if tail else (text, b"")
        codes = np.frombuffer(text, np.uint8)
        quotes = _quotes(codes)
        kinds = codes | _LETTER_CASE
        brackets = np.flatnonzero((kinds == _OPEN) | (kinds == _CLOSE))
        is_outside = (np.searchsorted(quotes, brackets) + is_in_string) % 2 == 0
        brackets = brackets[is_outside]
        is_open = kinds[brackets] == _OPEN
        after = level + np.cumsum(np.where(is_open, 1, -1))
        matching = len(after) if after.min(initial=0) >= 0 else int(np.argmax(after < 0))
        if matching:
            level = int(after[matching - 1])
            yield tuple(
                each[:matching]
                for each in (brackets + offset, after + ~is_open, is_open, codes[brackets])
            )
        if matching < len(after):
            raise ValueError(_UNBALANCED)
        is_in_string ^= bool(len(quotes) % 2)
        offset += len(text)
    if level or is_in_string:
        raise ValueError(_UNBALANCED)


def _quotes(codes: np.ndarray) -> np.ndarray:
    """The places of the quotes that are not escaped."""
    quotes = np.flatnonzero(codes == _QUOTE)
    backslashes = np.flatnonzero(codes == _BACKSLASH)
    if not len(backslashes):
        return quotes
    firsts = backslashes[np.diff(backslashes, prepend=-2) != 1]  # of each sequence of backslashes
    follows = (codes[quotes - 1] == _BACKSLASH) & (quotes > 0)
    lengths = quotes[follows] - firsts[np.searchsorted(firsts, quotes[follows]) - 1]
    is_escaped = np.zeros(len(quotes), bool)
    is_escaped[follows] = lengths % 2 == 1
    return quotes[~is_escaped]


def _chunks(stream: IO[bytes], start: int, end: int, size: int) -> Iterator[bytes]:
    for place in range(start, end, size):
        yield _bytes(stream, place, min(place + size, end))


def _bytes(stream: IO[bytes], start: int, end: int) -> bytes:
    stream.seek(start)
    return stream.read(end - start)
