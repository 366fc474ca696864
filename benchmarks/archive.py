"""Compare the loading of archives with DuckDB's own readers, in one run.

`python -m benchmarks.archive [RECORDS ...]` prints a Markdown table for README.md. By default it
loads 100,000 records of each kind, and then a million, to show the memory use.
"""

from __future__ import annotations

import argparse
import csv
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import orjson

from benchmarks.measure import Measured, measured, table_row

_HEADER = """\
| file | records | MB | load / floor | with start-up | clock | net CPU s | floor CPU s | peak MB |
|---|---|---|---|---|---|---|---|---|"""
_DEFAULT = [
    ("csv", 100_000),
    ("json", 100_000),
    ("activity", 100_000),
    ("csv", 1_000_000),
    ("json", 1_000_000),
    ("activity", 1_000_000),
    ("project", 1_000_000),
]
_COLUMNS = [
    "Id", "Title", "Labels", "Iteration", "Iteration Start", "Iteration End", "Type", "Estimate",
    "Priority", "Current State", "Created at", "Accepted at", "Deadline", "Requested By",
    "Description", "URL", "Owned By", "Owned By", "Blocker", "Blocker Status", "Comment", "Comment",
    "Task", "Task Status",
]  # fmt: skip
_WORDS = ["user", "list", "click", "button", "error", "login", "payment", "report", "slow", "test"]
_FIRST_DAY = date(2015, 1, 5)
# In a separate process, DuckDB reads each file into a table of a new database.
_FLOOR = """\
import sys, duckdb
reader, target, *sources = sys.argv[1:]
with duckdb.connect(target) as connection:
    for number, source in enumerate(sources):
        connection.execute(f"create table list{number} as select * from {reader}(?)", [source])
"""
_EMPTY_DATABASE = "import sys, duckdb; duckdb.connect(sys.argv[1]).close()"


def main() -> None:
    """Measure each kind of file at each size and print a row for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.archive", description=__doc__)
    parser.add_argument("records", nargs="*", type=int, help="how many records of each kind")
    parser.add_argument("--kind", choices=_WRITERS, action="append", help="measure only this kind")
    options = parser.parse_args()
    kinds = options.kind or list(_WRITERS)
    chosen = [(kind, each) for each in options.records for kind in kinds]
    print(_HEADER, flush=True)
    for kind, count in chosen or [each for each in _DEFAULT if each[0] in kinds]:
        with tempfile.TemporaryDirectory() as folder:
            print(_measure(Path(folder), kind, count), flush=True)


def _measure(folder: Path, kind: str, count: int) -> str:
    ending = "csv" if kind == "csv" else "json"
    source, few = (folder / name / f"shop.{ending}" for name in ("load", "few"))
    source.parent.mkdir()
    few.parent.mkdir()
    lists = _WRITERS[kind](source, count)
    _WRITERS[kind](few, 10)
    load, start_up = _load(source), _load(few)
    floor = _python(_FLOOR, f"read_{ending}", f"{folder}/floor.duckdb", *map(str, lists))
    floor_start_up = _python(_EMPTY_DATABASE, f"{folder}/empty.duckdb")
    net, floor_net = load.cpu_seconds - start_up.cpu_seconds, (
        floor.cpu_seconds - floor_start_up.cpu_seconds
    )  # fmt: skip
    return table_row(
        kind,
        f"{count:,}",
        f"{source.stat().st_size / 1e6:,.0f}",
        f"{net / floor_net:.1f}",
        f"{load.cpu_seconds / floor.cpu_seconds:.1f}",
        f"{load.seconds / floor.seconds:.1f}",
        f"{net:.2f}",
        f"{floor_net:.2f}",
        f"{load.peak_bytes / 1e6:,.0f}",
    )


def _load(source: Path) -> Measured:
    command = [sys.executable, "-m", "ingest", "archive", str(source)]
    folder = source.parent / "warehouse"
    return measured(command, WAREHOUSE_PATH=f"{folder}/w.duckdb", INGEST_LOG_PATH=f"{folder}/logs")


def _python(program: str, *arguments: str) -> Measured:
    return measured([sys.executable, "-c", program, *arguments])


def write_csv(path: Path, count: int) -> list[Path]:
    """Write a CSV export of `count` stories, with the empty cells that exports had in 2025."""
    with path.open("w", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for story in _stories(count):
            accepted = story.get("accepted_at")
            number = (accepted - _FIRST_DAY).days // 7 if accepted else 0
            start = _FIRST_DAY + timedelta(7 * number)
            span = [number + 1, _csv_date(start), _csv_date(start + timedelta(6))]
            owners, comments = story["owners"], story["comments"]
            writer.writerow(
                [
                    story["id"], story["name"], ", ".join(story["labels"]),
                    *(span if accepted else ["", "", ""]),
                    story["story_type"], story.get("estimate", ""), "p2 - Medium",
                    story["current_state"], _csv_date(story["created_at"]), _csv_date(accepted), "",
                    story["requester"], story["description"],
                    f"https://www.pivotaltracker.com/story/show/{story['id']}",
                    *(owners + ["", ""])[:2], "", "",
                    *(comments + ["", ""])[:2], *(story["task"] or ["", ""]),
                ]
            )  # fmt: skip
    return [path]


def write_json(path: Path, count: int) -> list[Path]:
    """Write the same stories as a list of API records."""
    with path.open("wb") as handle:
        handle.write(b"[")
        for index, story in enumerate(_stories(count)):
            created, accepted = story["created_at"], story.get("accepted_at")
            record = {
                "kind": "story", "id": story["id"], "project_id": 99, "name": story["name"],
                "description": story["description"], "story_type": story["story_type"],
                "current_state": story["current_state"], "estimate": story.get("estimate"),
                "created_at": f"{created}T09:00:00Z",
                "updated_at": f"{accepted or created}T10:00:00Z",
                "accepted_at": f"{accepted}T10:00:00Z" if accepted else None,
                "requested_by_id": 7, "owner_ids": [8, 9],
                "labels": [
                    {"kind": "label", "id": 100 + int(each[6:]), "project_id": 99, "name": each,
                     "created_at": "2015-01-05T09:00:00Z", "updated_at": "2015-01-05T09:00:00Z"}
                    for each in story["labels"]
                ],
                "comments": [
                    {"kind": "comment", "id": story["id"] * 2 + place, "story_id": story["id"],
                     "text": each, "person_id": 8, "created_at": f"{created}T11:00:00Z",
                     "updated_at": f"{created}T11:00:00Z"}
                    for place, each in enumerate(story["comments"])
                ],
            }  # fmt: skip
            present = {name: value for name, value in record.items() if value is not None}
            handle.write((b",\n" if index else b"") + orjson.dumps(present))
        handle.write(b"]")
    return [path]


def write_activity(path: Path, count: int) -> list[Path]:
    """Write a list of API activities, about a kilobyte each."""
    chance = random.Random(7)
    with path.open("wb") as handle:
        handle.write(b"[")
        for number in range(count):
            story = {"kind": "story", "id": 100_000_000 + number // 15, "name": "list " * 7}
            day = _FIRST_DAY + timedelta(number * 3_000 // count)
            instant = f"{day}T{number % 24:02}:00:00Z"
            person = chance.randrange(40)
            values = {
                "current_state": "started",
                "description": " ".join(chance.choices(_WORDS, k=60)),
                "updated_at": instant,
            }
            activity = {
                "kind": "story_update_activity",
                "guid": f"99_{count - number}",
                "project_version": count - number,
                "message": f"Person {person} started this feature",
                "highlight": "started",
                "changes": [
                    {**story, "change_type": "update", "new_values": values,
                     "original_values": {**values, "current_state": "unstarted"}}
                ],
                "primary_resources": [story],
                "secondary_resources": [],
                "project": {"kind": "project", "id": 99, "name": "Shop"},
                "performed_by": {"kind": "person", "id": person, "name": f"Person {person}"},
                "occurred_at": instant,
            }  # fmt: skip
            handle.write((b",\n" if number else b"") + orjson.dumps(activity))
        handle.write(b"]")
    return [path]


def write_project(path: Path, count: int) -> list[Path]:
    """Write a project with its stories and half as many activities, all in one document.

    Returns the paths of the two lists by themselves, which a reader can load without searching.
    """
    lists = [path.with_name("stories.part"), path.with_name("activity.part")]
    write_json(lists[0], count * 2 // 3)
    write_activity(lists[1], count // 3)
    with path.open("wb") as handle:
        handle.write(b'{"kind": "project", "id": 99, "name": "Shop"')
        for each in lists:
            handle.write(b', "%b": ' % each.stem.encode())
            with each.open("rb") as part:
                shutil.copyfileobj(part, handle)
        handle.write(b"}")
    return lists


def _stories(count: int) -> Iterator[dict]:
    chance = random.Random(7)

    def text(words: int) -> str:
        return " ".join(chance.choices(_WORDS, k=words))

    def person() -> str:
        return f"Person {chance.randrange(40)}"

    for number in range(count):
        created = _FIRST_DAY + timedelta(number * 3_000 // count)
        is_accepted = number < 0.8 * count
        story_type = chance.choices(["feature", "bug", "chore"], [6, 3, 2])[0]
        yield {
            "id": 100_000_000 + number,
            "name": text(7),
            "labels": [f"label {each}" for each in sorted(chance.sample(range(99), k=number % 3))],
            "story_type": story_type,
            **({"estimate": number % 4} if story_type == "feature" else {}),
            "current_state": "accepted" if is_accepted else "unstarted",
            "created_at": created,
            **({"accepted_at": created + timedelta(chance.randrange(30))} if is_accepted else {}),
            "requester": person(),
            "description": f"{text(25)}\n{text(10)}" if number % 3 else "",
            "owners": [person()] if is_accepted else [],
            "comments": [
                f"{text(12)} ({person()} - {_csv_date(created)})" for _ in range(number % 5 // 2)
            ],
            "task": [text(4), "completed"] if number % 4 == 0 else None,
        }


_WRITERS = {
    "csv": write_csv,
    "json": write_json,
    "activity": write_activity,
    "project": write_project,
}


def _csv_date(day: date | None) -> str:
    return f"{day:%b} {day.day}, {day.year}" if day else ""


if __name__ == "__main__":
    main()
