"""The `fields=` grammar, such as `:default,comments(:default,person(name))`.

See docs/tracker-api.md, Fields.
"""

from __future__ import annotations

import re
from functools import lru_cache

_TOKEN = re.compile(r"[(),]|[^(),\s]+")

# The requested fields in their order; an empty value means the default fields of that resource.
Selection = tuple[tuple[str, "Selection"], ...]


class FieldsError(ValueError):
    """A `fields` parameter that is malformed, or names a field that does not exist."""


@lru_cache(maxsize=512)
def parse_fields(text: str) -> Selection:
    """Parse a `fields` parameter.

    Raises:
        FieldsError: if brackets do not match or a name is missing.
    """
    tokens = _TOKEN.findall(text)
    selection, position = _parse_list(tokens, 0)
    if position != len(tokens):
        raise FieldsError(f"unexpected {tokens[position]!r} in fields")
    return selection


def _parse_list(tokens: list[str], position: int) -> tuple[Selection, int]:
    wanted: list[tuple[str, Selection]] = []
    while position < len(tokens) and tokens[position] != ")":
        name = tokens[position]
        if name in "(,":
            raise FieldsError("a name is missing in fields")
        position += 1
        nested: Selection = ()
        if position < len(tokens) and tokens[position] == "(":
            nested, position = _parse_list(tokens, position + 1)
            if position >= len(tokens):
                raise FieldsError("a bracket is not closed in fields")
            position += 1
        wanted.append((name, nested))
        if position < len(tokens) and tokens[position] == ",":
            position += 1
    return tuple(wanted), position
