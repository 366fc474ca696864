"""How one project is read if the warehouse already contains it.

- unchanged: version and current iteration are the stored ones; nothing is read.
- clock: only the current iteration is another one; iterations from the stored one on are read, and
  what is projected from them.
- changed: the activities since the stored version say what must be read again.
- listed: the activities do not go back far enough; the stories updated since, and a list of all
  ids, are read.
- full: everything is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import pyarrow as pa

from ingest.api.lists.jobs import GivenRows
from ingest.api.sync.changes import Changes

Mode = Literal["unchanged", "clock", "changed", "listed", "full"]
NESTED_LISTS = ("labels", "epics")  # lists that can be nested in a project's record


@dataclass
class ProjectPlan:
    """How one project is read.

    Attributes:
        project_id: the project.
        mode: one of the five modes.
        changes: the changes in its activities; None if these were not read.
        reason: why its activities are not enough; empty if they are.
        given: rows that have already been read, by raw table.
        lists: raw tables whose list is read completely.
        iterations_from: the first iteration to read; None if none is read.
        transitions_after: the time from which transitions are read; None if none are read.
        missing_ids: stored stories that the project no longer has.
        reset_to: its version, if that is lower than the stored one: stored rows of later versions
            are removed.
    """

    project_id: int
    mode: Mode
    changes: Changes | None = None
    reason: str = ""
    given: dict[str, GivenRows] = field(default_factory=dict)
    lists: set[str] = field(default_factory=set)
    iterations_from: int | None = None
    transitions_after: datetime | None = None
    missing_ids: set[int] = field(default_factory=set)
    reset_to: int | None = None

    def add_rows(
        self,
        table: str,
        rows: list[pa.Table],
        requests_count: int = 0,
        has_all_records: bool = False,
    ) -> None:
        """Add rows that have already been read."""
        self.given[table] = GivenRows(table, self.project_id, rows, requests_count, has_all_records)


def sentences(plans: Iterable[ProjectPlan], names: dict[int, str]) -> list[str]:
    """How the projects were read, for the run's summary: counts, and reasons for costly modes."""
    plans = list(plans)
    modes = [plan.mode for plan in plans]
    words: dict[Mode, str] = {
        "unchanged": "unchanged",
        "clock": "in a new iteration",
        "changed": "changed",
        "listed": "changed and compared with a list of ids",
        "full": "read completely",
    }
    parts = [f"{modes.count(mode)} {text}" for mode, text in words.items() if mode in modes]
    reasons = [
        f"project {plan.project_id} ({names.get(plan.project_id)}) "
        f"{words[plan.mode]}: {plan.reason}"
        for plan in plans
        if plan.reason
    ]
    return [f"projects: {', '.join(parts)}", *reasons]
