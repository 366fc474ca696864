"""Synthetic exports, and the location of real ones."""

import csv
import io
import os
import re
from pathlib import Path

from ingest.archive import ArchiveOptions, ArchiveReader
from ingest.contract import rejected_row_records
from tests.conftest import ROOT

_OLD_HEADER = """\
Id,Story,Labels,Iteration,Iteration Start,Iteration End,Story Type,Estimate,Current State,\
Created at,Accepted at,Deadline,Requested By,Owned By,Description,URL,Note"""
_HEADER = """\
Id,Title,Labels,Iteration,Iteration Start,Iteration End,Type,Estimate,Priority,Current State,\
Created at,Accepted at,Deadline,Requested By,Description,URL,Owned By,Owned By,Blocker,\
Blocker Status,Comment,Comment,Task,Task Status,Task,Task Status,Review Type,Reviewer,\
Review Status,Pull Request,Git Branch"""
OLD_HEADER = _OLD_HEADER.split(",")
HEADER = _HEADER.split(",")


def shared_folder(name):
    """A folder of real data in `TRACKER_SHARED`, or beside the repository; None if absent."""
    folder = Path(os.environ.get("TRACKER_SHARED") or ROOT.parent / "shared") / name
    return folder if folder.is_dir() else None


def row(header=HEADER, **cells):
    """A row for a header; a repeated column takes a list."""
    left = {
        name: list(value) if isinstance(value, list) else [value] for name, value in cells.items()
    }
    named = {name.replace("_", " ").lower(): values for name, values in left.items()}
    out = []
    for column in header:
        values = named.get(column.lower(), [])
        out.append(str(values.pop(0)) if values else "")
    return out


def story(number=101, header=HEADER, **cells):
    """The row of a plain story, with some cells replaced."""
    plain = {
        "id": number,
        "title": f"Story {number}",
        "type": "feature",
        "current_state": "unstarted",
        "created_at": "Nov 19, 2015",
        "requested_by": "Ada Obi",
        "url": f"https://www.pivotaltracker.com/story/show/{number}",
    }
    return row(header, **{**plain, **cells})


def csv_text(rows, header=HEADER, line_end="\n"):
    """The text of a CSV, quoted as Tracker did."""
    out = io.StringIO()
    csv.writer(out, lineterminator=line_end).writerow(header)
    for cells in rows:
        # Python does not quote a bare carriage return, so no reader could restore it.
        quoting = csv.QUOTE_ALL if "\r" in "".join(map(str, cells)) else csv.QUOTE_MINIMAL
        csv.writer(out, lineterminator=line_end, quoting=quoting).writerow(cells)
    return out.getvalue()


def write_csv(path, rows, header=HEADER, encoding="utf-8", line_end="\n"):
    """Write a CSV and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(csv_text(rows, header, line_end).encode(encoding))
    return path


def guarded(text):
    """A cell as Tracker guarded it against spreadsheets."""
    return "'" + text if re.match(r"'*[=+\-@]", text) else text


class Loaded:
    """The complete result of reading some paths, as dictionaries by table."""

    def __init__(self, *paths, **options):
        self.reader = ArchiveReader(list(paths), ArchiveOptions(**options))
        self.tables = {}
        for name in self.reader.tables():
            self.tables[name] = [
                record for batch in self.reader.read(name) for record in batch.to_pylist()
            ]
        self.tables["rejected_rows"] = rejected_row_records(
            self.reader.drift.rejections, self.reader.as_of_files()
        )

    def __getattr__(self, name):
        if name == "tables":
            raise AttributeError(name)
        return self.tables[name]

    def one_story(self):
        (found,) = self.tables["stories"]
        return found

    @property
    def refusals(self):
        """(line, column, reason) of every rejection, in order."""
        return [(each.line, each.column, each.reason) for each in self.reader.rejections]
