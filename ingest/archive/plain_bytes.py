"""Whether DuckDB's CSV reader finds the cells that Python's csv module finds, on the same lines.

DuckDB takes blanks around a quoted cell for nothing, and passes over blank lines between rows. So a
file with either is not plain; a blank line inside quotes, as many descriptions have, is text.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ingest.archive.files import chunks

_BLANK_AND_QUOTE = re.compile(rb'[,\n] +"[^"]|" +[,\r\n]')
_BEFORE_QUOTE = tuple(b',\n"')
_BEHIND_QUOTE = tuple(b',\r\n"')
_OVERLAP = 64  # bytes that are looked at again with what follows them
_QUOTE, _RETURN, _LINE_END = b'"\r\n'


def has_plain_bytes(path: Path) -> bool:
    """Whether both readers would agree on a file of comma-separated UTF-8."""
    last, quotes_count = b"", 0
    has_blank_line = has_stray_quote = False
    with path.open("rb") as stream:
        for chunk in chunks(stream):
            content = last + chunk
            if content[:2] == b"\x1f\x8b" or not _have_line_ends(content):
                return False
            has_both = b' "' in content or b'" ' in content
            if has_both and _BLANK_AND_QUOTE.search(content):
                return False
            signs = np.frombuffer(content, np.uint8)
            quotes = np.flatnonzero(signs == _QUOTE)
            blank_lines = _blank_lines(content, signs)
            if len(blank_lines):
                has_blank_line = True
                before = quotes_count + np.searchsorted(quotes, blank_lines)
                if (before % 2 == 0).any():
                    return False
            has_stray_quote |= _has_stray_quote(signs, quotes)
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


def _blank_lines(content: bytes, signs: np.ndarray) -> np.ndarray:
    """Where a line ends that holds nothing."""
    if b"\n\n" not in content and b"\n\r" not in content:
        return np.empty(0, np.int64)
    ends = np.flatnonzero(signs[:-1] == _LINE_END)
    return ends[(signs[ends + 1] == _LINE_END) | (signs[ends + 1] == _RETURN)]


def _has_stray_quote(signs: np.ndarray, quotes: np.ndarray) -> bool:
    """Whether a quote stands amid a text, neither at the edge of a cell nor beside another."""
    inner = quotes[(quotes > 0) & (quotes < len(signs) - 1)]
    is_edge = np.isin(signs[inner - 1], _BEFORE_QUOTE) | np.isin(signs[inner + 1], _BEHIND_QUOTE)
    return not is_edge.all()
