"""The summary of a run, printed at its end or returned as JSON."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from ingest.records import Drift

_MOST_LINES = 50  # of one sort; the log has all of them


@dataclass
class RunSummary:
    """What one run read and loaded.

    Attributes:
        source_name: the base URL or path that was read.
        warehouse: the path of the DuckDB file, or the address of another warehouse.
        rows_by_table: rows loaded, per raw table.
        requests_count: HTTP requests made, including retries.
        seconds: wall-clock seconds of the whole run.
        skipped: what was not read, or not as expected, one sentence each.
        failed_project_ids: projects that should have been read but were not.
        drift: fields and values that did not fit the declared tables.
        extract_mode: `full`, or `incremental` when only changes were read.
        retries_count: requests that were repeated.
        notes: how the projects were read, one sentence each.
        failure: why the run counts as failed although it loaded what it could, or None.
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
        """The summary as lines to print."""
        width = max((len(name) for name in self.rows_by_table), default=0)
        lines = [f"  {name:<{width}}  {rows:>9,}" for name, rows in self.rows_by_table.items()]
        lines.insert(0, f"Loaded {self.source_name} into {self.warehouse}")
        undeclared, misfits = self.drift.undeclared, self.drift.misfits
        for prefix, sentences in (
            ("", self.notes),
            ("note: ", self.skipped),
            ("kept in extra_fields: ", _field_sentences(undeclared, "records")),
            ("wrong type, kept in extra_fields: ", _field_sentences(misfits, "values")),
        ):
            lines += [f"  {prefix}{sentence}" for sentence in sentences[:_MOST_LINES]]
            if len(sentences) > _MOST_LINES:
                lines.append(f"  {prefix}{len(sentences) - _MOST_LINES:,} more (see the log)")
        total = sum(self.rows_by_table.values())
        lines.append(
            f"{total:,} rows, {self.requests_count:,} requests, {self.seconds:.1f} s. "
            f"Next: {next_command}"
        )
        return lines


@dataclass(frozen=True)
class Outcome:
    """How a run ended, for programs (`--json`).

    Attributes:
        exit_code: the exit code of the process.
        warehouse: as in `RunSummary`; None if the run failed before it was known.
        source_kind: `api` or `demo`.
        seconds: wall-clock seconds.
        log: the run's log file, if there is one.
        error: why the run failed, in one line, or None.
        summary: what was read; None if the run failed.
    """

    exit_code: int
    warehouse: str | None
    source_kind: str | None
    seconds: float
    log: Path | None = None
    error: str | None = None
    summary: RunSummary | None = None

    def as_json(self) -> str:
        """One line of JSON. The keys are always the same; unknown values are null."""
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


def _field_sentences(counts: Counter[tuple[str, str]], noun: str) -> list[str]:
    return [f"{table}.{name} ({count:,} {noun})" for (table, name), count in sorted(counts.items())]


def _counted_fields(counts: Counter[tuple[str, str]]) -> list[dict[str, str | int]]:
    return [
        {"table": table, "field": name, "count": count}
        for (table, name), count in sorted(counts.items())
    ]
