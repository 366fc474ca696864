"""Whether DuckDB's CSV reader finds the cells that Python's csv module finds, on the same lines.

DuckDB takes blanks around a quoted cell for nothing, and passes over blank lines between rows. So a
file with either is not plain; a blank line inside quotes, as many descriptions have, is text.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ingest.archive.files.archive_file import chunks

_BLANK_AND_QUOTE = re.compile(rb'[,\n] +"[^"]|" +[,\r\n]')
_OVERLAP = 64  # bytes that are looked at again with what follows them
_QUOTE, _LINE_END = b'"\n'


def _signs(signs: bytes) -> np.ndarray:
    """For each byte whether it is one of these."""
    return np.isin(np.arange(256), tuple(signs))


_BEFORE_QUOTE, _BEHIND_QUOTE = _signs(b',\n"'), _signs(b',\r\n"')
_BLANK, _LINE_ENDS = _signs(b" "), _signs(b"\r\n")


def has_plain_bytes(path: Path) -> bool:
    """Whether both readers would agree on a file of comma-separated UTF-8."""
    last, quotes_count = b"", 0
    has_blank_line = has_stray_quote = False
    with path.open("rb") as stream:
        for chunk in chunks(stream):
            content = last + chunk
            if content[:2] == b"\x1f\x8b" or not _have_line_ends(content):
                return False
            signs = np.frombuffer(content, np.uint8)
            quotes = np.flatnonzero(signs == _QUOTE)
            before, behind = _beside(signs, quotes)
            if (_BLANK[before] | _BLANK[behind]).any() and _BLANK_AND_QUOTE.search(content):
                return False
            blank_lines = _blank_lines(signs)
            has_blank_line |= bool(len(blank_lines))
            if ((quotes_count + np.searchsorted(quotes, blank_lines)) % 2 == 0).any():
                return False
            # Amid a text, neither at the edge of a cell nor beside another.
            has_stray_quote |= not (_BEFORE_QUOTE[before] | _BEHIND_QUOTE[behind]).all()
            last = content[-_OVERLAP:]
            quotes_count += int(np.searchsorted(quotes, len(content) - len(last)))
        quotes_count += last.count(b'"')
    # Only where quotes stand as they should do they tell what is inside of them.
    return not has_blank_line or (quotes_count % 2 == 0 and not has_stray_quote)


def _have_line_ends(content: bytes) -> bool:
    """Whether each carriage return belongs to the end of a line."""
    if b"\r" not in content:
        return True
    return content.count(b"\r") == content.count(b"\r\n") + content.endswith(b"\r")


def _beside(signs: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The bytes before and behind places that are neither the first nor the last."""
    inner = places[(places > 0) & (places < len(signs) - 1)]
    return signs[inner - 1], signs[inner + 1]


def _blank_lines(signs: np.ndarray) -> np.ndarray:
    """Where a line ends that holds nothing."""
    ends = np.flatnonzero(signs[:-1] == _LINE_END)
    return ends[_LINE_ENDS[signs[ends + 1]]]
