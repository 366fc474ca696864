"""What the warehouse already contains: where a reader continues.

The raw tables are the only state kept between two runs. A project's version counts as read if the
load that wrote it is complete, its extract lists the project as read, and no other source was
loaded over it since. So the recorded version is never ahead of the data, whatever run was killed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pyarrow as pa

from ingest.tables import TABLES, Table
from ingest.warehouses.base import DATASET, MissingRelation, ReadConnection, Warehouse
from ingest.warehouses.configured import as_warehouse

# Settings that determine the dates and figures of all iterations.
_PLAN_SETTINGS = (
    "iteration_length",
    "week_start_day",
    "point_scale",
    "velocity_averaged_over",
    "initial_velocity",
    "iteration_override_numbers",
    "bugs_and_chores_are_estimatable",
    "automatic_planning",
    "start_date",
    "start_time",
)
_COUNTED_TABLES = ("epics", "releases", "iterations", "story_transitions", "cycle_time_details")
_STORY_LISTS = frozenset({"labels", "comments", "tasks", "blockers", "reviews"})

_COMPLETE_EXTRACTS = f"""
select _dlt_load_id, source_kind, source_name, as_of, started_at, project_ids
from {DATASET}.extracts
where _dlt_load_id in (select load_id from {DATASET}._dlt_loads where status = 0)
order by started_at
"""


@dataclass(frozen=True)
class StoredProject:
    """A project as the last sync left it.

    Attributes:
        version: the value of Tracker's change counter up to which the warehouse is complete.
        current_iteration_number: the current iteration at that time.
        as_of: the time of the last sync, by the server's clock.
        iterations: (number, start, finish) of each iteration, ascending.
        rows_count: rows by raw table, for tables in which a project may well have no rows.
        analytics_count: the number of iterations with Tracker's own analytics.
        plan_settings: the settings that determine all iterations, by column.
        name: the project's name.
        changed_at: the newest `updated_at` of its stories; None if it has no stories.
    """

    version: int
    current_iteration_number: int
    as_of: datetime
    iterations: tuple[tuple[int, datetime, datetime], ...] = ()
    rows_count: dict[str, int] = field(default_factory=dict)
    analytics_count: int = 0
    plan_settings: dict[str, Any] = field(default_factory=dict)
    name: str = ""
    changed_at: datetime | None = None

    @property
    def known_at(self) -> datetime:
        """A time up to which the warehouse is complete, by the server's clock.

        If the host sends no time, `as_of` is by the local clock, which may be ahead.
        """
        return min(self.as_of, self.changed_at or self.as_of)


class StoredVersion(NamedTuple):
    """Where a stored row was read from.

    Attributes:
        record: the requested fields.
        record_source: the kind of source: api, activity, json, history_csv or stories_csv.
        as_of: the time that the source file describes, or the story's deletion if that is later.
    """

    record: dict[str, Any]
    record_source: str
    as_of: datetime | None


class Stored:
    """The stored raw tables, which a reader can query while it reads.

    Attributes:
        projects: project id -> its stored state, for projects that a sync can continue.
        known_ids: the ids of all projects with a row in the warehouse.
        complete_tables: tables that have all declared columns with the declared types; empty if
            this run replaces all tables.
    """

    def __init__(
        self, place: Path | Warehouse | None, source_kind: str = "", source_name: str = ""
    ) -> None:
        """Open the warehouse and find the projects that this source can continue.

        Args:
            place: a warehouse, or the path of a DuckDB file; None for an empty warehouse.
            source_kind: the kind of source that this run reads.
            source_name: the name of that source.
        """
        self._opened = ExitStack()
        self._reading: ReadConnection | None = None
        self.complete_tables: set[str] = set()
        self.known_ids: set[int] = set()
        self.projects: dict[int, StoredProject] = {}
        warehouse = None if place is None else as_warehouse(place)
        if warehouse is None or not warehouse.merges:
            return
        self._reading = self._opened.enter_context(warehouse.reading())
        self.complete_tables = {
            name for name, table in TABLES.items() if _is_complete(self._reading, table)
        }
        if not self.complete_tables >= {"projects", "extracts"}:
            return
        self.known_ids = {key for (key,) in self._rows(f"select id from {DATASET}.projects")}
        # If a column is missing, an older release did not read it for any project.
        if self.complete_tables >= TABLES.keys():
            self.projects = self._projects(source_kind, source_name)

    def __enter__(self) -> Stored:
        """Use it in a `with` statement."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the warehouse at the end."""
        self.close()

    def close(self) -> None:
        """Close the connection, so that the warehouse can be written."""
        self._opened.close()

    def story_ids(self, project_id: int) -> set[int]:
        """The ids of the project's stored stories, without those marked as deleted."""
        if "stories" not in self.complete_tables:
            return set()
        statement = (
            f"select id from {DATASET}.stories where project_id = ? and is_deleted is not true"
        )
        return {key for (key,) in self._rows(statement, [project_id])}

    def stories_that_list(
        self, project_id: int, column: str, ids: Iterable[int], key: str = "id"
    ) -> set[int]:
        """The project's stories that have one of `ids` in a list such as `labels`."""
        wanted = set(ids)
        if not wanted or column not in _STORY_LISTS:
            return set()
        statement = (
            f"select id, {column} from {DATASET}.stories "
            f"where project_id = ? and {column} is not null"
        )
        return {
            story_id
            for story_id, listed in self._rows(statement, [project_id])
            if any(_id(each, key) in wanted for each in _objects(listed))
        }

    def accepted_at(self, story_ids: Iterable[int]) -> dict[int, datetime]:
        """The stored `accepted_at` of accepted stories, by story id."""
        statement = (
            f"select id, accepted_at from {DATASET}.stories "
            "where accepted_at is not null and id = any(?)"
        )
        return dict(self._rows(statement, [sorted(story_ids)]))

    def releases_among(self, story_ids: Iterable[int]) -> set[int]:
        """The ids of the stories that are release markers."""
        statement = f"select id from {DATASET}.stories where story_type = 'release' and id = any(?)"
        return {key for (key,) in self._rows(statement, [sorted(story_ids)])}

    def cycle_time_keys(
        self, project_id: int, iteration_numbers: Iterable[int]
    ) -> set[tuple[Any, ...]]:
        """The keys of Tracker's own cycle times in iterations of a project."""
        statement = (
            f"select story_id from {DATASET}.cycle_time_details "
            "where project_id = ? and iteration_number = any(?)"
        )
        return set(self._rows(statement, [project_id, sorted(iteration_numbers)]))

    def label_names(self, project_id: int) -> dict[int, str]:
        """The names of the project's labels, by id."""
        statement = f"select id, name from {DATASET}.labels where project_id = ?"
        return dict(self._rows(statement, [project_id]))

    def deleted_by_activities(self, story_ids: Iterable[int]) -> set[int]:
        """The ids of the stories whose deletion is recorded by a stored activity."""
        wanted = set(story_ids)
        statement = f"select changes from {DATASET}.activity where changes like ?"
        return {
            change["id"]
            for (changes,) in self._rows(statement, ['%"delete"%'])
            for change in _objects(changes)
            if (change.get("kind"), change.get("change_type")) == ("story", "delete")
            and _id(change) in wanted
        }

    def story_rows(self, story_ids: Iterable[int]) -> pa.Table:
        """The complete stored rows of stories."""
        table = TABLES["stories"]
        columns = ", ".join(f'"{name}"' for name in table.all_columns)
        wanted = sorted(story_ids)
        if not wanted or self._reading is None:
            return table.arrow_schema.empty_table()
        statement = f"select {columns} from {DATASET}.stories where id = any(?)"
        return self._reading.table(statement, [wanted], table.arrow_schema)

    def keys_by_project(self, table_name: str) -> dict[int, set[tuple[Any, ...]]]:
        """The keys of a table's rows, by project."""
        table = TABLES[table_name]
        if table_name not in self.complete_tables or table.scope is None:
            return {}
        columns = ", ".join(f'"{name}"' for name in (table.scope, *table.key))
        rows = self._rows(f"select {columns} from {DATASET}.{table_name}")
        return {project_id: set(keys) for project_id, keys in _grouped(rows).items()}

    def keys_after(self, table_name: str, project_id: int, version: int) -> set[tuple[Any, ...]]:
        """The keys of a project's rows with a later `project_version` than this."""
        columns = ", ".join(f'"{name}"' for name in TABLES[table_name].key)
        statement = (
            f"select {columns} from {DATASET}.{table_name} "
            "where project_id = ? and project_version > ?"
        )
        return set(self._rows(statement, [project_id, version]))

    def small_rows(self, table_name: str, at_most: int = 5000) -> pa.Table | None:
        """All rows of a table; None if it has more than `at_most`, or lacks declared columns."""
        if self._reading is None or table_name not in self.complete_tables:
            return None
        table = TABLES[table_name]
        columns = ", ".join(f'"{name}"' for name in table.all_columns)
        statement = f"select {columns} from {DATASET}.{table_name} limit {at_most + 1}"
        rows = self._reading.table(statement, [], table.arrow_schema)
        return None if rows.num_rows > at_most else rows

    def sources(
        self, table_name: str, fields: Sequence[str]
    ) -> dict[tuple[Any, ...], StoredVersion]:
        """Where each row of a table was read from, by key, with some of its fields."""
        table = TABLES[table_name]
        columns = ", ".join(f'stored."{name}"' for name in (*table.key, *fields))
        # A deletion is known as of its own time.
        as_of = "greatest(files.as_of, stored.deleted_at)"
        found = self._rows(
            f"select {columns}, stored.record_source, "
            f"{as_of if table_name == 'stories' else 'files.as_of'} "
            f"from {DATASET}.{table_name} as stored "
            f"left join {DATASET}.archive_files as files on stored.source_file = files.file"
        )
        width = len(table.key)
        return {
            row[:width]: StoredVersion(dict(zip(fields, row[width:-2], strict=True)), *row[-2:])
            for row in map(tuple, found)
        }

    def project_of(self, story_ids: Iterable[int]) -> tuple[int, str | None, int, int] | None:
        """The project with most of these stories; None if none of them is stored.

        Its id and name, and how many of these stories and how many stories it has.
        """
        found = self._rows(
            "select project_id, max(projects.name), "
            "count(*) filter (where stories.id = any(?)) as shared_count, count(*) "
            f"from {DATASET}.stories left join {DATASET}.projects on project_id = projects.id "
            "group by project_id order by shared_count desc, project_id desc limit 1",
            [list(story_ids)],
        )
        return found[0] if found and found[0][2] else None

    def time_zone(self, project_id: int) -> str | None:
        """The Olson name of a project's time zone, if a source of Tracker's stated it."""
        found = self._rows(
            f"select time_zone from {DATASET}.projects "
            "where id = ? and time_zone is not null and record_source != 'stories_csv'",
            [project_id],
        )
        zone = _parsed(found[0][0]) if found else None
        return zone.get("olson_name") if isinstance(zone, dict) else None

    def people(self) -> list[tuple[int, str]]:
        """Ids and names of members, and of the people listed in dumps."""
        members = self._rows(f"select person from {DATASET}.memberships where person is not null")
        people = [_parsed(person) for (person,) in members]
        named = self._rows(f"select id, name from {DATASET}.people where name is not null")
        return [
            *(
                (identity, each["name"])
                for each in people
                if isinstance(each, dict)
                and isinstance(each.get("name"), str)
                and (identity := _id(each)) is not None
            ),
            *named,
        ]

    def next_export_at(self, project_id: int, as_of: datetime) -> datetime | None:
        """The time of a project's first complete export after `as_of`."""
        made_at: datetime | None
        ((made_at,),) = self._rows(
            f"select min(as_of) from {DATASET}.archive_files where project_id = ? "
            "and file_kind = 'stories_csv' and is_whole and as_of > ?",
            [project_id, as_of],
        ) or [(None,)]
        return made_at

    def states_in_exports(self, project_id: int) -> dict[int, str | None]:
        """The state of each story that came from a CSV export and is not deleted, by id."""
        return dict(
            self._rows(
                f"select id, current_state from {DATASET}.stories where project_id = ? "
                "and record_source = 'stories_csv' and is_deleted is not true",
                [project_id],
            )
        )

    def _projects(self, source_kind: str, source_name: str) -> dict[int, StoredProject]:
        rows = self._resumable_projects(source_kind, source_name)
        bounds = _grouped(
            self._rows(
                f"select project_id, number, start, finish from {DATASET}.iterations "
                "where start is not null and finish is not null order by number"
            )
        )
        counts = {
            name: dict(
                self._rows(f"select project_id, count(*) from {DATASET}.{name} group by project_id")
            )
            for name in _COUNTED_TABLES
        }
        analytics = dict(
            self._rows(
                f"select project_id, count(analytics) from {DATASET}.iterations group by project_id"
            )
        )
        changed_at = dict(
            self._rows(
                f"select project_id, max(updated_at) from {DATASET}.stories group by project_id"
            )
        )
        return {
            row["id"]: StoredProject(
                version=row["version"],
                current_iteration_number=row["current_iteration_number"],
                as_of=row["read_as_of"],
                iterations=tuple(bounds.get(row["id"], ())),
                rows_count={name: counts[name].get(row["id"], 0) for name in _COUNTED_TABLES},
                analytics_count=analytics.get(row["id"], 0),
                plan_settings=plan_settings(row),
                name=row["name"] or "",
                changed_at=changed_at.get(row["id"]),
            )
            for row in rows
            if row["version"] is not None and row["current_iteration_number"] is not None
        }

    def _resumable_projects(self, source_kind: str, source_name: str) -> list[dict[str, Any]]:
        """The rows of projects that were last read from this source, by a load that completed."""
        reads: dict[int, dict[str, tuple[str, str]]] = {}  # project -> load -> its source
        latest: dict[int, tuple[Any, ...]] = {}
        for load_id, kind, name, as_of, _, project_ids in self._rows(_COMPLETE_EXTRACTS):
            for project_id in orjson.loads(project_ids or "[]"):
                reads.setdefault(project_id, {})[load_id] = (kind, name)
                latest[project_id] = (kind, name, as_of)
        source = (source_kind, source_name)
        names = [*TABLES["projects"].all_columns, "_dlt_load_id"]
        columns = ", ".join(f'"{name}"' for name in names)
        found = [
            dict(zip(names, row, strict=True))
            for row in self._rows(f"select {columns} from {DATASET}.projects")
        ]
        return [
            {**row, "read_as_of": latest[row["id"]][2]}
            for row in found
            if reads.get(row["id"], {}).get(row["_dlt_load_id"]) == source
            and latest[row["id"]][:2] == source
        ]

    def _rows(self, statement: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a statement; none if an older release did not create the table or column."""
        if self._reading is None:
            return []
        try:
            return self._reading.rows(statement, parameters or [])
        except MissingRelation:
            return []


def _is_complete(reading: ReadConnection, table: Table) -> bool:
    declared = {name: reading.types[kind] for name, kind in table.all_columns.items()}
    stored = reading.columns(table.name)
    return "_dlt_load_id" in stored and stored.items() >= declared.items()


def _objects(text: str | None) -> list[dict[str, Any]]:
    """The objects in a JSON list."""
    listed = orjson.loads(text or "[]")
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def plan_settings(project: dict[str, Any]) -> dict[str, Any]:
    """The settings that determine a project's iterations, from a stored row or an API record."""
    settings = {name: project.get(name) for name in _PLAN_SETTINGS}
    zone = _parsed(project.get("time_zone"))
    settings["time_zone"] = zone.get("olson_name") if isinstance(zone, dict) else zone
    settings["iteration_override_numbers"] = _parsed(settings["iteration_override_numbers"])
    return {name: _comparable(value) for name, value in settings.items()}


def _parsed(value: object) -> object:
    if not isinstance(value, str) or value[:1] not in ("[", "{"):
        return value
    try:
        return json.loads(value)
    except ValueError:  # text that only starts like JSON
        return value


def _id(record: dict[str, Any], name: str = "id") -> int | None:
    """The id in a record; None if it is not an integer."""
    value = record.get(name)
    return value if type(value) is int else None


def _comparable(value: object) -> object:
    """Make a stored value comparable with the API's: timestamps and dates become text."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value) if hasattr(value, "isoformat") else value


def _grouped(rows: list[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    groups: dict[int, list[tuple[Any, ...]]] = {}
    for project_id, *values in rows:
        groups.setdefault(project_id, []).append(tuple(values))
    return groups
