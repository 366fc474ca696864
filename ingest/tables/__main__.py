"""Rewrite the dbt sources from the declared raw tables: `python -m ingest.tables`."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import fill

from ingest.tables import TABLES
from ingest.tables.descriptions import description_of

SOURCES = (
    Path(__file__).resolve().parents[2]
    / "dbt_project/models/staging/pivotal_tracker/_pivotal_tracker__sources.yml"
)


def sources(current: str) -> str:
    """Replace the tables and columns in the sources file by the declared ones."""
    head, *_ = current.partition("    tables:\n")
    lines = [f"{head}    tables:"]
    for table in TABLES.values():
        lines += [f"      - name: {table.name}", *_described(table.description, 8)]
        lines.append("        columns:")
        for name, kind in table.all_columns.items():
            lines += [
                f"          - name: {name}",
                *_described(description_of(table.name, name), 12),
            ]
            lines.append(f"            data_type: {kind}")
        lines.append("")
    return "\n".join(lines)


def _described(text: str, indent: int) -> list[str]:
    line = f"{' ' * indent}description: {json.dumps(text)}"
    if len(line) <= 88:
        return [line]
    spaces = " " * (indent + 2)
    folded = fill(text, 88, initial_indent=spaces, subsequent_indent=spaces, break_on_hyphens=False)
    return [f"{' ' * indent}description: >-", *folded.splitlines()]


if __name__ == "__main__":
    SOURCES.write_text(sources(SOURCES.read_text()))
