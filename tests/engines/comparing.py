"""Compare two engines' marts: timestamps to the second, decimals exactly, doubles to 1e-9."""

from __future__ import annotations

import math
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from tests.engines.engines import RAW, Engine
from tests.support.marts import key_of

Keys = dict[str, tuple[str, ...]]


def mart_keys(manifest: dict) -> Keys:
    """The primary key of every mart."""
    return {
        node["alias"]: key_of(node)
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] == "marts"
    }


def contents(engine: Engine, keys: Keys) -> dict[str, dict[tuple, dict]]:
    """Every mart's rows by key."""
    found = {}
    for mart, key in keys.items():
        rows = engine.query(f"select * from marts.{mart}")
        found[mart] = {tuple(row[name] for name in key): row for row in rows}
        assert len(found[mart]) == len(rows), f"{mart}: {key} is no key"
    return found


def differences(one: dict[str, dict], two: dict[str, dict], at_most: int = 20) -> list[str]:
    """The differences between two contents, one line per cell or row; empty if they are equal."""
    lines = []
    for mart in one.keys() | two.keys():
        first, second = one.get(mart, {}), two.get(mart, {})
        for key in first.keys() ^ second.keys():
            lines.append(f"{mart} {key} is only in the {'first' if key in first else 'second'}")
        for key in first.keys() & second.keys():
            row, other = first[key], second[key]
            if row.keys() != other.keys():
                lines.append(f"{mart} has other columns: {row.keys() ^ other.keys()}")
                break
            lines += [
                f"{mart} {key} {column}: {value!r} and {other[column]!r}"
                for column, value in row.items()
                if not same(value, other[column])
            ]
    return lines[:at_most]


def same(one: object, two: object) -> bool:
    if isinstance(one, float) and isinstance(two, float):
        return math.isclose(one, two, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(one, datetime) and isinstance(two, datetime):
        return int(one.timestamp()) == int(two.timestamp())
    if isinstance(one, Decimal) and isinstance(two, Decimal):
        return Fraction(one) == Fraction(two)
    return type(one) is type(two) and one == two


def raw_rows(engine: Engine, table: str, columns: list[str]) -> list[tuple]:
    """A raw table's rows, sorted by their text."""
    listed = ", ".join(f'"{name}"' for name in columns)
    rows = engine.query(f"select {listed} from {RAW}.{table}")
    return sorted((tuple(row.values()) for row in rows), key=str)
