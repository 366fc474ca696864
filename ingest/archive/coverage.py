"""What a run's files contain and lack for each project, for the run's summary."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from ingest.records import Record

_KINDS = {
    "stories_csv": "CSV export",
    "history_csv": "project history",
    "json": "JSON file",
    "sqlite": "backup",
}
_MAX_PROJECTS = 10
# What a project may have, in the order of the summary: (singular, plural).
_PRESENT = {
    "stories": ("story", "stories"),
    "epics": ("epic", "epics"),
    "iterations": ("iteration", "iterations"),
    "activity": ("activity", "activities"),
    "transitions": ("state change", "state changes"),
    "comments": ("with comments", "with comments"),
    "memberships": ("member", "members"),
}
# What may be missing: (its name, where to find it).
_MISSING = {
    "transitions": (
        "state changes",
        "cycle times stay empty; project history exports and saved activities have them",
    ),
    "comments": ("comments", "exports and stories that were saved with their comments have them"),
    "iterations": ("iterations", "exports with scheduled stories and saved iterations have them"),
    "memberships": ("members", "saved memberships have them; without them people have only names"),
    "settings": (
        "settings",
        "the saved project has them; without it they are inferred if possible",
    ),
}


class Coverage:
    """Counts what is read for each project."""

    def __init__(self) -> None:
        """Start with empty counts."""
        self._counts: dict[int, Counter[str]] = defaultdict(Counter)
        self._names: dict[int, str] = {}
        self._files: dict[int, set[str]] = defaultdict(set)

    def add(self, table: str, rows: pa.Table) -> None:
        """Count the rows of a raw table."""
        if table == "projects":
            self._add_projects(rows)
        elif "project_id" in rows.column_names:
            self._count(table, rows)
            if table in ("stories", "epics", "activity", "iterations"):
                pairs = rows.select(["project_id", "source_file"]).group_by(
                    ["project_id", "source_file"]
                )
                for each in pairs.aggregate([]).to_pylist():
                    self._files[each["project_id"]].add(each["source_file"])
        if table == "stories":
            self._count("comments", rows.filter(_is_filled(rows["comments"])))
            self._count("transitions", rows.filter(_is_filled(rows["transitions"])))
        elif table == "story_transitions":
            self._count("transitions", rows)
        elif table == "activity":
            self._count("comments", rows.filter(pc.starts_with(rows["kind"], "comment_")))

    def _count(self, what: str, rows: pa.Table) -> None:
        for each in pc.value_counts(rows["project_id"]).to_pylist():
            if each["values"] is not None:
                self._counts[each["values"]][what] += each["counts"]

    def _add_projects(self, rows: pa.Table) -> None:
        for each in rows.select(["id", "name", "inferred_fields", "iteration_length"]).to_pylist():
            if each["name"]:
                self._names[each["id"]] = each["name"]
            is_stated = each["iteration_length"] is not None and each["inferred_fields"] is None
            self._counts[each["id"]]["settings"] += is_stated

    def sentences(self, catalogue: Iterable[Record]) -> list[str]:
        """Sentences that say what each project has and lacks.

        Args:
            catalogue: the files that were read, as records of `archive_files`.
        """
        files = {each["file"]: each for each in catalogue}
        projects = sorted(self._counts, key=lambda each: (self._name(each), each))
        found = [self._of_project(each, files) for each in projects[:_MAX_PROJECTS]]
        if len(projects) > _MAX_PROJECTS:
            more = len(projects) - _MAX_PROJECTS
            found.append(f"and {more:,} more projects: see rpt_data_coverage")
        for key, (what, where_to_find) in _MISSING.items():
            if not all(_has(self._counts[each], key) for each in projects):
                found.append(f"no {what}: {where_to_find}")
        return found

    def _name(self, project_id: int) -> str:
        return self._names.get(project_id) or f"project {project_id}"

    def _of_project(self, project_id: int, files: dict[str, Record]) -> str:
        counts = self._counts[project_id]
        given = [
            f"{counts[what]:,} {one if counts[what] == 1 else many}"
            for what, (one, many) in _PRESENT.items()
            if counts[what]
        ]
        read = [files[each] for each in sorted(self._files[project_id]) if each in files]
        lacking = [what for key, (what, _) in _MISSING.items() if not _has(counts, key)]
        missing = f"; no {', '.join(lacking)}" if lacking else ""
        given_text = ", ".join(given) or "only its name"
        return f"{self._name(project_id)}: {given_text}{_sources(read)}{missing}"


def _has(counts: Counter[str], what: str) -> bool:
    return bool(counts[what] or (what == "transitions" and counts["activity"]))


def _is_filled(lists: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.fill_null(pc.greater(pc.utf8_length(lists), len("[]")), False)


def _sources(files: list[Record]) -> str:
    """The number of files of each kind, and the days that they describe."""
    kinds = Counter(str(each["file_kind"]) for each in files)
    if not kinds:
        return ""
    names = [
        f"{count:,} {_KINDS.get(kind, kind)}{'s' if count > 1 else ''}"
        for kind, count in kinds.items()
    ]
    days = sorted(str(each["as_of"])[:10] for each in files if each.get("as_of"))
    when = ""
    if days:
        when = f" of {days[0]}" if days[0] == days[-1] else f" of {days[0]} to {days[-1]}"
    return f", from {' and '.join(names)}{when}"
