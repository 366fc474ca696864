"""How one project is read when the warehouse holds some of it already.

- unchanged: version and current iteration are the stored ones, so nothing is asked.
- clock: only the current iteration moved on: iterations from the stored one on, and what is
  projected from them.
- changed: the activities since the stored version name what is read again.
- listed: the activities do not reach back: stories updated since, and a listing of ids.
- full: everything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from ingest.api.lists.jobs import GivenRows
from ingest.api.sync.changes import Changes

Mode = Literal["unchanged", "clock", "changed", "listed", "full"]
NESTED_LISTS = ("labels", "epics")  # what a project's own record can bring along


@dataclass
class ProjectPlan:
    """How one project is read.

    Attributes:
        mode: which of the five ways.
        changes: what its activities tell; None when they were not asked for.
        reason: why it is not read by its activities.
        given: rows that are here already, by raw table.
        lists: raw tables whose list is read whole.
        iterations_from: the first iteration to read; None when none is.
        transitions_after: transitions are read from this instant on; None when they need not be.
        gone_ids: stored stories that the project no longer has.
        undone_after: its version, when that went back: what is stored of later ones never was.
    """

    project_id: int
    mode: Mode
    changes: Changes | None = None
    reason: str = ""
    given: dict[str, GivenRows] = field(default_factory=dict)
    lists: set[str] = field(default_factory=set)
    iterations_from: int | None = None
    transitions_after: datetime | None = None
    gone_ids: set[int] = field(default_factory=set)
    undone_after: int | None = None


def sentences(plans: Iterable[ProjectPlan], names: dict[int, str]) -> list[str]:
    """How projects were read, for the closing summary: the counts, and why some were not cheap."""
    plans = list(plans)
    modes = [plan.mode for plan in plans]
    told: dict[Mode, str] = {
        "unchanged": "unchanged",
        "clock": "in a new iteration",
        "changed": "changed",
        "listed": "changed and compared by listing",
        "full": "read whole",
    }
    parts = [f"{modes.count(mode)} {words}" for mode, words in told.items() if mode in modes]
    reasons = [
        f"project {plan.project_id} ({names.get(plan.project_id)}) {told[plan.mode]}: {plan.reason}"
        for plan in plans
        if plan.reason
    ]
    return [f"projects: {', '.join(parts)}", *reasons]
