"""What a run says at its end."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from ingest.records import Drift


@dataclass
class RunSummary:
    """One finished run, or how far one came that failed.

    Attributes:
        source_name: the base URL or path that was read.
        warehouse: the path of the DuckDB file, or where another warehouse is.
        rows_by_table: rows handed to the warehouse, per raw table.
        requests_count: HTTP requests made, retries included.
        seconds: wall-clock seconds of the whole run.
        skipped: what could not be read, one sentence each.
        failed_project_ids: projects that should have been read and were not.
        drift: fields and values that did not fit the declared tables.
        extract_mode: `full`, or `incremental` when only what changed was read.
        retries_count: requests that were repeated.
        notes: how the projects were read, one sentence each.
        failure: why the run counts as failed although it loaded what it could; None when it does
            not.
    """

    source_name: str
    warehouse: str
    rows_by_table: dict[str, int]
    requests_count: int
    seconds: float
    skipped: list[str] = field(default_factory=list)
    failed_project_ids: list[int] = field(default_factory=list)
    drift: Drift = field(default_factory=Drift)
    extract_mode: str = "full"
    retries_count: int = 0
    notes: list[str] = field(default_factory=list)
    failure: str | None = None

    def lines(self, next_command: str) -> list[str]:
        """The closing summary, ready to print."""
        width = max((len(name) for name in self.rows_by_table), default=0)
        lines = [f"  {name:<{width}}  {rows:>9,}" for name, rows in self.rows_by_table.items()]
        lines.insert(0, f"Loaded {self.source_name} into {self.warehouse}")
        lines += [f"  {sentence}" for sentence in self.notes]
        lines += [f"  skipped: {sentence}" for sentence in self.skipped]
        lines += [
            f"  kept in extra_fields: {table}.{name} ({count:,} records)"
            for (table, name), count in sorted(self.drift.undeclared.items())
        ]
        lines += [
            f"  did not fit its type, kept in extra_fields: {table}.{name} ({count:,} values)"
            for (table, name), count in sorted(self.drift.misfits.items())
        ]
        total = sum(self.rows_by_table.values())
        lines.append(
            f"{total:,} rows, {self.requests_count:,} requests, {self.seconds:.1f} s. "
            f"Next: {next_command}"
        )
        return lines


@dataclass(frozen=True)
class Outcome:
    """How a run ended, for machines: `--json`.

    Attributes:
        exit_code: that of the process.
        warehouse: as in `RunSummary`; None when it was not even known.
        source_kind: `api` or `demo`.
        seconds: wall-clock seconds.
        log: the run's log file, if there is one.
        error: the line that says why it failed; None when it did not.
        summary: what was read; None when it failed.
    """

    exit_code: int
    warehouse: str | None
    source_kind: str | None
    seconds: float
    log: Path | None = None
    error: str | None = None
    summary: RunSummary | None = None

    def as_json(self) -> str:
        """One line; the keys are always the same, null where nothing is known."""
        read = self.summary
        drift = read.drift if read else Drift()
        return json.dumps(
            {
                "exit_code": self.exit_code,
                "error": self.error or (read.failure if read else None),
                "warehouse": self.warehouse,
                "source_kind": self.source_kind,
                "source_name": read.source_name if read else None,
                "extract_mode": read.extract_mode if read else None,
                "rows_by_table": read.rows_by_table if read else {},
                "requests": read.requests_count if read else None,
                "retries": read.retries_count if read else None,
                "seconds": round(self.seconds, 3),
                "notes": read.notes if read else [],
                "skipped": read.skipped if read else [],
                "failed_project_ids": read.failed_project_ids if read else [],
                "drift": {
                    "undeclared": _counted_fields(drift.undeclared),
                    "misfits": _counted_fields(drift.misfits),
                },
                "log": str(self.log) if self.log else None,
            }
        )


def _counted_fields(counts: Counter[tuple[str, str]]) -> list[dict[str, str | int]]:
    return [
        {"table": table, "field": name, "count": count}
        for (table, name), count in sorted(counts.items())
    ]
