"""Find raw values that no mart can contain as they are, and that no finding reports.

What is impossible is stated here again, in Python and from Tracker's documentation, so that a
repair in a model cannot be forgotten in `dq_finding`.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import available_timezones

import duckdb

from ingest.tables import TABLES

START = datetime(2000, 1, 1, tzinfo=UTC)
PLANNED = {"deadline", "projected_completion", "start", "finish", "shown_iterations_start_time"}
POINTS, WEEKS, SHARE, COUNT = (0, 10_000), (1, 520), (0, 100), (1, 100)
FIGURE = (-(10**12), 10**12)
RANGES = {
    "stories": {"estimate": POINTS},
    "projects": {
        "initial_velocity": POINTS, "iteration_length": WEEKS, "velocity_averaged_over": COUNT,
        "current_velocity": FIGURE,
    },
    "iterations": {
        "length": WEEKS, "team_strength": SHARE, "velocity": FIGURE, "points": FIGURE,
        "accepted_points": FIGURE, "effective_points": FIGURE,
    },
    "releases": {"points_total": FIGURE, "counts_total": FIGURE},
    "cycle_time_details": {
        "total_cycle_time": FIGURE, "started_time": FIGURE, "started_count": FIGURE,
    },
    "history_days": {
        "points_accepted": FIGURE, "counts_accepted": FIGURE, "counts_started": FIGURE,
    },
}  # fmt: skip
REQUIRED = {
    "memberships": ("project_id", "person_id"),
    "labels": ("project_id",), "epics": ("project_id",), "stories": ("project_id",),
    "releases": ("project_id",), "activity": ("project_id", "project_version", "occurred_at"),
    "my_activity": ("project_id", "project_version", "occurred_at"),
    "story_transitions": ("state", "occurred_at"),
}  # fmt: skip
# By table: lists of ids or of records with ids, and how findings call their elements.
ELEMENTS = {
    "stories": {
        "owner_ids": "story_owners", "labels": "story_labels", "comments": "story_comments",
        "tasks": "story_tasks", "blockers": "story_blockers", "reviews": "story_reviews",
        "transitions": "story_nested_transitions",
    },
    "epics": {"comments": "epic_comments"},
    "iterations": {"story_ids": "iteration_stories"},
    "releases": {"story_ids": "release_stories"},
}  # fmt: skip
OTHER_LISTS = {
    "stories": ("owners", "follower_ids", "pull_requests", "branches"), "releases": ("labels",),
    "activity": ("changes", "primary_resources", "secondary_resources"),
    "projects": ("iteration_override_numbers",),
}  # fmt: skip
PARTS = ("comments", "tasks", "blockers", "reviews")
IN_CHANGES = ("accepted_at", "created_at", "updated_at")
NAMES = {"activity": "activities"}
Finding = tuple[str, str]


def unreported(path: Path, read_by: datetime) -> list[str]:
    """The raw values of a built warehouse that must be reported and are not.

    Args:
        path: the warehouse.
        read_by: the latest instant that a record may contain.
    """
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        found = set(
            connection.execute("select rule_name, entity_key from marts.dq_finding").fetchall()
        )
        expected: dict[Finding, str] = {}
        for name, table in TABLES.items():
            cursor = connection.execute(f"select * from pivotal_tracker_data.{name}")
            columns = [each[0] for each in cursor.description]
            rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
            if rows and name not in ("extracts", "people"):
                expected |= _expected(name, table.key, rows, read_by)
    return [f"{rule} of {key} is not reported: {why}" for (rule, key), why in expected.items()
            if (rule, key) not in found]  # fmt: skip


def _expected(name, key, rows, read_by) -> dict[Finding, str]:
    expected: dict[Finding, str] = {}
    counts = Counter(_key(row, key) for row in rows)
    usable = defaultdict(int)
    for row in rows:
        lacking = [each for each in (*key, *REQUIRED.get(name, ())) if row[each] is None]
        for each in REQUIRED.get(name, ()):
            if each.endswith("_at") and row[each] and not START <= row[each] <= read_by:
                lacking.append(each)
        if lacking:
            project = row.get("id") if name == "projects" else row.get("project_id")
            project = f" of project {project}" if project is not None else ""
            project = "" if name == "cycle_time_details" else project
            expected["row_unusable", name + project] = f"{lacking} of {_key(row, key)}"
            continue
        usable[_key(row, key)] += 1
        if counts[_key(row, key)] == 1 and name != "my_activity":
            its_key = f"{NAMES.get(name, name)} {_key(row, key)}"
            for column in _impossible(name, row, read_by):
                expected["value_impossible", its_key] = f"{column} {row[column]}"
            for column, listed in ELEMENTS.get(name, {}).items():
                expected |= _of_elements(row, key, column, listed, read_by)
            if name == "activity":
                expected |= _of_changes(row, read_by)
    if name == "iterations":
        is_usable = [all(row[each] is not None for each in key) for row in rows]
        once = [row for row, is_one in zip(rows, is_usable, strict=True)
                if is_one and counts[_key(row, key)] == 1]  # fmt: skip
        expected |= _of_iterations(once)
    for its_key, count in usable.items():
        if count > 1:
            expected["row_repeated", f"{name} {its_key}"] = f"{count} rows"
    return expected


def _impossible(name, row, read_by) -> Iterator[str]:
    latest = datetime(2100, 1, 1, tzinfo=UTC)
    for column, kind in TABLES[name].columns.items():
        value = row[column]
        if value is None:
            continue
        if kind == "timestamp" and not (
            value >= START and (value < latest if column in PLANNED else value <= read_by)
        ):
            yield column
        is_key = column in TABLES[name].key
        if kind == "date" and not is_key and not date(2000, 1, 1) <= value <= read_by.date():
            yield column
        if column in RANGES.get(name, ()):
            lowest, highest = RANGES[name][column]
            if not lowest <= value <= highest:
                yield column
        if column in (*OTHER_LISTS.get(name, ()), *ELEMENTS.get(name, ())) and (
            not isinstance(_parsed(value), list)
        ):
            yield column
    figures = _parsed(row.get("analytics")) if name == "iterations" else None
    for figure in ("stories_accepted", "bugs_created", "cycle_time"):
        value = figures.get(figure) if isinstance(figures, dict) else None
        if isinstance(value, list | dict) or (isinstance(value, int) and abs(value) > 10**12):
            yield "analytics"
    zone = _parsed(row.get("time_zone")) if name == "projects" else None
    zone = zone.get("olson_name") if isinstance(zone, dict) else None
    if isinstance(zone, str) and zone not in available_timezones():
        yield "time_zone"


def _of_elements(row, key, column, listed, read_by) -> dict[Finding, str]:
    elements, expected = _parsed(row[column]), {}
    counts: Counter[object] = Counter()
    for each in elements if isinstance(elements, list) else ():
        fields = each if isinstance(each, dict) else {}
        if column == "transitions":
            at, version = _instant(fields.get("occurred_at")), _whole(fields.get("project_version"))
            project = _whole(fields.get("project_id")) or row["project_id"]
            is_usable = fields.get("state") is not None and at and START <= at <= read_by
            identity = f"{project}-{version}" if is_usable and version is not None else None
        else:
            identity = _whole(fields.get("id")) if fields else _whole(each)
        counts[identity] += not isinstance(each, bool)  # engines read a boolean as a number
        if identity is None and not isinstance(each, bool):
            expected["row_unusable", f"{listed} of {_key(row, key)}"] = str(each)
        for name in ("created_at", "updated_at"):
            at = _instant(fields.get(name))
            is_bad = fields.get(name) is not None and not (at and START <= at <= read_by)
            if is_bad and column in PARTS and identity is not None:
                expected["value_impossible", f"{listed} {identity}"] = f"{name} {at}"
    for identity, count in counts.items():
        if count > 1 and identity is not None:
            is_shared = column in ("owner_ids", "labels", "story_ids", "transitions")
            its_key = f"{_key(row, key)}-{identity}" if is_shared else identity
            expected["row_repeated", f"{listed} {its_key}"] = f"{count} elements"
    return {
        (rule, its_key): why
        for (rule, its_key), why in expected.items()
        if rule != "value_impossible" or ("row_repeated", its_key) not in expected
    }


def _of_iterations(rows) -> dict[Finding, str]:
    """Iterations without a time of their own, and those that begin before an earlier one ends."""
    expected, timed = {}, defaultdict(list)
    for row in rows:
        start, finish = (
            at if (at := row[name]) and START <= at < datetime(2100, 1, 1, tzinfo=UTC) else None
            for name in ("start", "finish")
        )
        if start and finish and start < finish:
            timed[row["project_id"]].append((start, row["number"], finish))
        else:
            key = f"iterations {row['project_id']}-{row['number']}"
            expected["row_unusable", key] = f"{start} to {finish}"
    for project_id, iterations in timed.items():
        ended = START
        for start, number, finish in sorted(iterations):
            if ended > start:
                rule = "iteration_overlap" if ended < finish else "row_unusable"
                name = "iterations " if rule == "row_unusable" else ""
                expected[rule, f"{name}{project_id}-{number}"] = f"{start}, but until {ended}"
            ended = max(ended, finish)
    return expected


def _of_changes(row, read_by) -> dict[Finding, str]:
    expected, changes = {}, _parsed(row["changes"])
    for place, change in enumerate(changes if isinstance(changes, list) else (), 1):
        new = change.get("new_values") if isinstance(change, dict) else None
        if not isinstance(new, dict) or change.get("kind") not in ("story", "comment"):
            continue
        names = (*IN_CHANGES, "estimate") if change["kind"] == "story" else ("created_at",)
        for name in names:
            value = new.get(name)
            if value is None:
                continue
            if name == "estimate":
                is_bad = not isinstance(value, int | float) or not 0 <= value <= 10_000
                is_bad = is_bad or isinstance(value, bool)
            else:
                at = _instant(value)
                is_bad = not at or not START <= at <= read_by
            if is_bad:
                its_key = f"activity_changes {row['guid']} change {place}"
                expected["value_impossible", its_key] = f"{name} {value}"
    return expected


def _key(row, key) -> str:
    return "-".join(str(row[each]) for each in key)


def _parsed(text):
    return json.loads(text) if isinstance(text, str) else text


def _whole(value) -> int | None:
    is_whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    return value if is_whole else None


def _instant(value) -> datetime | None:
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
