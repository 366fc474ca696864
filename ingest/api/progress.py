"""Show the progress of a run over an API."""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter
from typing import Protocol, TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table as RichTable

from ingest.run.redaction import without_control_characters

_log = logging.getLogger(__name__)


class ReportProgress(Protocol):
    """Called with what was just read for a table, of a project or of the workspace."""

    def __call__(self, table: str, project: str, requests: int = 0, records: int = 0) -> None:
        """Add to the counts of `table` and `project`."""


class Progress:
    """Counts requests and records per resource and project, and shows them during the run.

    On a terminal the counts are updated in place; otherwise each resource gets one line when it has
    been read.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        """Write to `stream`, by default standard error."""
        self._console = Console(
            file=stream or sys.stderr, highlight=False, markup=False, emoji=False, soft_wrap=True
        )
        self._requests: Counter[tuple[str, str]] = Counter()
        self._records: Counter[tuple[str, str]] = Counter()
        self._current: str | None = None
        self._started = time.monotonic()
        self._live: Live | None = None

    def __enter__(self) -> Progress:
        """Start the display."""
        if self._console.is_terminal:
            self._live = Live(
                get_renderable=self._drawn, console=self._console, refresh_per_second=4
            )
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the display, and leave its last state on the screen."""
        if self._live:
            self._live.stop()
        self._finish_resource()

    def add(self, table: str, project: str, requests: int = 0, records: int = 0) -> None:
        """Count what was just read for a resource, of a project or of the whole workspace."""
        if table != self._current:
            self._finish_resource()
            self._current = table
            self._started = time.monotonic()
        project = without_control_characters(project)
        self._requests[table, project] += requests
        self._records[table, project] += records

    def _finish_resource(self) -> None:
        if self._current is None:
            return
        requests, records = self._totals(self._current)
        seconds = time.monotonic() - self._started
        line = (
            f"{self._current}: {records:,} records, {requests:,} requests, "
            f"{records / max(seconds, 0.001):,.0f} records/s"
        )
        _log.info(line)
        if not self._live:
            self._console.print(line)

    def _totals(self, table: str) -> tuple[int, int]:
        requests = sum(count for (name, _), count in self._requests.items() if name == table)
        records = sum(count for (name, _), count in self._records.items() if name == table)
        return requests, records

    def _drawn(self) -> RichTable:
        drawn = RichTable("resource", "project", box=None, pad_edge=False)
        for title in ("requests", "records", "records/s"):
            drawn.add_column(title, justify="right")
        seconds = max(time.monotonic() - self._started, 0.001)
        for (table, project), records in self._records.items():
            if table == self._current:
                requests = self._requests[table, project]
                rate = f"{records / seconds:,.0f}"
                drawn.add_row(table, project, f"{requests:,}", f"{records:,}", rate)
            elif project == self._last_project(table):
                requests, all_records = self._totals(table)
                drawn.add_row(table, "all", f"{requests:,}", f"{all_records:,}", "")
        return drawn

    def _last_project(self, table: str) -> str:
        return [project for name, project in self._records if name == table][-1]
