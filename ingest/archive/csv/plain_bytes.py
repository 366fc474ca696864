"""Check if DuckDB's CSV reader would return the same cells and lines as Python's csv module.

DuckDB ignores spaces around a quoted cell, and skips empty lines between rows, so a file with
either is not plain. Empty lines inside quotes, which many descriptions have, are text.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ingest.archive.files.archive_file import chunks

_SPACE_AND_QUOTE = re.compile(rb'[,\n] +"[^"]|" +[,\r\n]')
_OVERLAP = 64  # bytes at the end of a chunk that are checked again with the next one
_QUOTE, _LINE_END = b'"\n'


def _lookup(signs: bytes) -> np.ndarray:
    """A table of all byte values: whether each is one of these."""
    return np.isin(np.arange(256), tuple(signs))


_BEFORE_QUOTE, _AFTER_QUOTE = _lookup(b',\n"'), _lookup(b',\r\n"')
_SPACE, _LINE_ENDS = _lookup(b" "), _lookup(b"\r\n")


def has_plain_bytes(path: Path) -> bool:
    """Whether both readers would agree on a comma-separated UTF-8 file."""
    last, quotes_count = b"", 0
    has_empty_line = has_stray_quote = False
    with path.open("rb") as stream:
        for chunk in chunks(stream):
            content = last + chunk
            if content[:2] == b"\x1f\x8b" or not _have_line_ends(content):
                return False
            signs = np.frombuffer(content, np.uint8)
            quotes = np.flatnonzero(signs == _QUOTE)
            before, after = _neighbours(signs, quotes)
            if (_SPACE[before] | _SPACE[after]).any() and _SPACE_AND_QUOTE.search(content):
                return False
            empty_lines = _empty_lines(signs)
            has_empty_line |= bool(len(empty_lines))
            if ((quotes_count + np.searchsorted(quotes, empty_lines)) % 2 == 0).any():
                return False
            # A quote that is neither at the edge of a cell nor next to another quote.
            has_stray_quote |= not (_BEFORE_QUOTE[before] | _AFTER_QUOTE[after]).all()
            last = content[-_OVERLAP:]
            quotes_count += int(np.searchsorted(quotes, len(content) - len(last)))
        quotes_count += last.count(b'"')
    # Only correct quoting tells empty lines inside quotes from others.
    return not has_empty_line or (quotes_count % 2 == 0 and not has_stray_quote)


def _have_line_ends(content: bytes) -> bool:
    """Whether every carriage return is part of a CR LF."""
    if b"\r" not in content:
        return True
    return content.count(b"\r") == content.count(b"\r\n") + content.endswith(b"\r")


def _neighbours(signs: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The bytes before and after these places, except for the first and the last byte."""
    inner = places[(places > 0) & (places < len(signs) - 1)]
    return signs[inner - 1], signs[inner + 1]


def _empty_lines(signs: np.ndarray) -> np.ndarray:
    """The positions of line ends that are followed by an empty line."""
    ends = np.flatnonzero(signs[:-1] == _LINE_END)
    return ends[_LINE_ENDS[signs[ends + 1]]]
