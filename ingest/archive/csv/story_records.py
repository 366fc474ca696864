"""Parse the rows of a stories CSV as records in the form of the API."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from typing import NamedTuple

from ingest.archive.csv import cells as read
from ingest.archive.csv.columns import SINGLE
from ingest.archive.csv.exports import MovedRow, StoriesFile
from ingest.archive.csv.rows import check_integrity
from ingest.archive.csv.story_parts import StoryParts
from ingest.archive.dates import Moment, Moments
from ingest.archive.errors import RowRefused
from ingest.archive.id_set import IdSet
from ingest.archive.options import ArchiveOptions
from ingest.archive.project.evidence import ProjectFacts
from ingest.archive.project.people import People
from ingest.records import Record, stable_id
from ingest.tables import TABLES

# A placeholder for a missing value, or an error of a spreadsheet.
_NO_URL = re.compile(r"#[A-Z/0]+[!?]?|n/?a|null|none|[\W\d]*", re.IGNORECASE)
_ONE_LINE = ("type", "estimate", "priority", "current state", "labels", "requested by", "url")
_NUMERIC = re.compile(r"[\s\d.,eE+#-]*")
# A date whose quotes were lost is cut at its comma.
_MONTH_AND_DAY = re.compile(r"[A-Z][a-z]{2} \d{1,2}")
_YEAR = re.compile(r" \d{4}\"?")
_REST = "rest of the row"  # the name in `extra_fields` of the cells after a broken quote
_ID_BITS = 48  # such an id times `PART_IDS` fits into 64 bits


class ReadRow(NamedTuple):
    """A parsed row.

    Attributes:
        table: `stories` (also for releases) or `epics`.
        record: the record, in the form of the API.
        is_date_only: whether its timestamps are dates without times.
        misfits: invalid cells, which are stored in `extra_fields`.
    """

    table: str
    record: Record
    is_date_only: bool
    misfits: list[RowRefused]


class StoryRows:
    """Parses the rows of one stories CSV.

    Labels, iterations and estimates are added to the project's facts. A row is refused if its id,
    type or state is invalid, or if its quoting is broken. Other invalid cells are stored in
    `extra_fields`.

    Attributes:
        columns: the header.
        facts: the project.
        people: resolves names to ids.
        moments: the parsed dates of each date column.
        comment_moments: the parsed dates of comments.
        parts: parses comments, tasks and other parts.
        ids: table -> the ids of all rows so far that were not refused.
    """

    def __init__(
        self, file: StoriesFile, facts: ProjectFacts, people: People, options: ArchiveOptions
    ) -> None:
        """Prepare to parse the rows below a header.

        Args:
            file: the surveyed file.
            facts: receives what the rows reveal about the project.
            people: resolves names to ids.
            options: how files are read.
        """
        columns = file.columns
        self.columns = columns
        self.facts = facts
        self.people = people
        self.moments = file.moments(options.zone)
        self.comment_moments = Moments(options.zone)
        self.parts = StoryParts(columns, facts, people, self.comment_moments)
        self.ids = {"stories": IdSet(), "epics": IdSet()}
        self._misfits: list[tuple[str, RowRefused]] = []
        self._same_rows: Counter[tuple[str, str, str]] = Counter()
        self._labels: dict[str, list[Record]] = {}
        # An empty cell is added to every row, for all columns that the file does not have.
        absent = columns.width
        self._at = {name: columns.single.get(name, absent) for name in SINGLE}
        _, self._last_column = max(
            ((span[0], name) for name, spans in columns.groups.items() for span in spans if span),
            default=(-1, ""),
        )
        self._comment_cells = [span[0] for span in columns.groups["comment"]]
        self._one_line_cells = [self._at[name] for name in _ONE_LINE if self._at[name] < absent]
        self._one_line_cells += [span[0] for span in columns.groups["owned by"]]

    def record(self, row: list[str] | RowRefused) -> ReadRow:
        """Parse a row.

        In a row with broken quoting, the cells before it are used, or those before the row's URL.

        Raises:
            RowRefused: if the row is invalid.
        """
        cells, unplaced, doubts = self._readable(row)
        is_epic = self._cell(cells, "type").strip().lower() == "epic"
        table = "epics" if is_epic else "stories"
        identity = self._id(cells, table)
        if identity in self.ids[table]:
            raise self._refused("id", str(identity), "duplicate id: an earlier row has it")
        record: Record = {
            "id": identity,
            "project_id": self.facts.id,
            "name": read.unguarded(self._cell(cells, "title")),
        }
        if not is_epic:
            record["story_type"] = self._story_type(cells)
            record["current_state"] = self._current_state(cells)
        if description := self._cell(cells, "description"):
            record["description"] = read.unguarded(description)
        self._misfits = []
        if url := self._url(cells, identity):
            record["url"] = url
        created, accepted = self._moment(cells, "created at"), None
        if created:
            record["created_at"] = created.text
        if is_epic:
            self._add_to_epic(record, cells)
        else:
            accepted = self._moment(cells, "accepted at")
            self._add_to_story(record, cells, accepted)
        self._add_unknown(record, cells, table)
        for header, text in unplaced.items():
            self._add_extra(record, table, header, self.columns.width, text)
        self._add_misfits(record, cells, table)
        self.facts.update_newest(created)
        self.facts.update_newest(accepted)
        self.ids[table].add(identity)
        misfits = [*doubts, *(misfit for _, misfit in self._misfits)]
        return ReadRow(table, record, is_date_only(created, accepted), misfits)

    def _readable(self, row: list[str] | RowRefused) -> tuple[list[str], Record, list[RowRefused]]:
        """The usable cells of a row, the other ones by name, and why these are not usable."""
        if isinstance(row, RowRefused):
            refused, cells = row, row.cells or []
            proven = max(self._proven(cells), self._certain(refused))
        else:
            unplaced = dict(row.unplaced) if isinstance(row, MovedRow) else {}
            try:
                return self._padded(row), unplaced, []
            except RowRefused as error:
                refused, cells = error, row
                proven = self._certain(refused) or self._proven(cells)
        if not proven:
            raise refused
        kept = self._as_far_as(proven, cells)
        return self._padded(kept), {_REST: cells[proven + 1 :]}, [refused]

    def _story_type(self, cells: list[str]) -> str:
        story_type = self._cell(cells, "type").strip().lower()
        if not story_type and not self.columns.has_ids:
            return "feature"
        if story_type not in read.STORY_TYPES:
            raise self._refused("type", story_type, "unknown story type")
        return story_type

    def _current_state(self, cells: list[str]) -> str:
        state = self._cell(cells, "current state").strip().lower()
        if not state and not self.columns.has_ids:
            return "unscheduled"
        if state not in read.STATES:
            raise self._refused("current state", state, "unknown story state")
        return state

    def _padded(self, cells: list[str]) -> list[str]:
        """A row with the header's width and an empty cell, followed by any additional cells.

        Raises:
            RowRefused: if the row is invalid.
        """
        width = self.columns.width
        cells = _with_whole_dates(cells)
        proven = self._proven(cells)
        check_integrity(self.columns.header, cells, proven)
        if any(cells[width:]) and not self._are_comments(cells[width:]):
            raise RowRefused(None, cells[width], f"more cells than the header's {width}")
        for index in self._one_line_cells:
            if proven <= index < len(cells) and "\n" in cells[index].strip():
                reason = "broken quoting: a line break in this cell"
                raise RowRefused(self.columns.header[index], cells[index], reason, certain=index)
        return cells[:width] + [""] * (width + 1 - len(cells[:width])) + cells[width:]

    def _certain(self, refused: RowRefused) -> int:
        """The last cell before the broken quote; 0 if it is not after all required columns."""
        required = max(self._at["id"], *self._required)
        return refused.certain - 1 if required < refused.certain else 0

    @property
    def _required(self) -> tuple[int, ...]:
        return self._at["title"], self._at["type"], self._at["current state"]

    def _as_far_as(self, proven: int, cells: list[str]) -> list[str]:
        """The first cells of a row; of the others, only the required columns."""
        required = self._required
        last = max(proven, *(place for place in required if place < self.columns.width))
        return [
            cell if place <= proven or place in required else ""
            for place, cell in enumerate(cells[: last + 1])
        ]

    def _proven(self, cells: list[str]) -> int:
        """The number of cells that certainly belong to the row: those before its own URL."""
        at_id, at_url = self._at["id"], self._at["url"]
        if not max(at_id, at_url) < len(cells):
            return 0
        identity = read.parse_id(cells[at_id])
        return at_url if identity and _id_in_url(cells[at_url]) == str(identity) else 0

    def _are_comments(self, extra: list[str]) -> bool:
        is_last = self._last_column == "comment"
        return is_last and all(read.split_comment(each)[1] for each in extra if each)

    def _id(self, cells: list[str], table: str) -> int:
        """The id of a row: its own, or the one in its URL, or a derived one.

        Raises:
            RowRefused: if there is none.
        """
        if not self.columns.has_ids:
            return self._derived_id(cells, table)
        text, in_url = self._cell(cells, "id"), _id_in_url(self._cell(cells, "url"))
        identity = read.parse_id(text)
        if identity is None and _NUMERIC.fullmatch(text):
            identity = read.parse_id(in_url)  # a spreadsheet wrote 1.69E+08
        if identity is None:
            raise self._refused("id", text, "no story id")
        return identity

    def _url(self, cells: list[str], identity: int) -> str:
        """The URL; empty if there is none.

        Raises:
            RowRefused: if it is that of another story, or another text: a broken quote has fused
                two rows, or shifted the cells.
        """
        url = self._cell(cells, "url").strip("\ufeff \t\r\n")
        in_url = _id_in_url(url)
        is_own = in_url == str(identity) or ("://" in url and not in_url.isdigit())
        if not url or is_own or not self.columns.has_ids:
            return url
        if not _NO_URL.fullmatch(url):
            raise self._refused("url", url, "the URL is another story's: rows are fused or shifted")
        self._misfit("url", url, "not a URL")
        return ""

    def _derived_id(self, cells: list[str], table: str) -> int:
        """A negative id that is the same in every load of this row."""
        title = self._cell(cells, "title").strip()
        if not title:
            raise self._refused("title", "", "neither an id nor a title")
        created = self._cell(cells, "created at").strip()
        with suppress(ValueError):
            moment = self.moments["created at"][created]
            created = str(moment and (moment.day if moment.is_day else moment.text))
        row = (table, title, created)
        self._same_rows[row] += 1
        return stable_id("row", self.facts.id, *row, self._same_rows[row], bits=_ID_BITS)

    def _add_to_story(self, record: Record, cells: list[str], accepted: Moment | None) -> None:
        if "labels" in self.columns.single:
            record["labels"] = self.labels(self._cell(cells, "labels"))
        if accepted:
            record["accepted_at"] = accepted.text
        if deadline := self._moment(cells, "deadline"):
            record["deadline"] = deadline.text
        self._add_points(record, cells)
        self._add_people(record, cells)
        extra = cells[self.columns.width + 1 :]
        record.update(self.parts.of_story(cells, record["id"], extra))
        is_done = record["current_state"] == "accepted"
        self._add_iteration(record, cells, accepted.day if accepted and is_done else None)

    def _add_to_epic(self, record: Record, cells: list[str]) -> None:
        if labels := self.labels(self._cell(cells, "labels")):
            record["label"] = labels[0]
        texts = [cells[each] for each in self._comment_cells]
        texts += cells[self.columns.width + 1 :]
        if comments := self.parts.comments(texts, record["id"], "epic_id"):
            record["comments"] = comments

    def _add_points(self, record: Record, cells: list[str]) -> None:
        estimate, priority = self._cell(cells, "estimate"), self._cell(cells, "priority")
        try:
            points = read.parse_estimate(estimate)
        except ValueError:
            self._misfit("estimate", estimate, "no estimate")
        else:
            if points is not None:
                record["estimate"] = points
                self.facts.estimates.add(points)
        try:
            if level := read.parse_priority(priority):
                record["story_priority"] = level
        except ValueError:
            self._misfit("priority", priority, "unknown priority")

    def _add_people(self, record: Record, cells: list[str]) -> None:
        id_of = self.people.id_of
        if requester := self._cell(cells, "requested by").strip():
            record["requested_by_id"] = id_of(requester)
        if owned_by := self.columns.groups["owned by"]:
            record.update(self.owners([cells[index] for (index,) in owned_by]))

    def owners(self, cells: Sequence[str]) -> Record:
        """The fields of a story with these owners."""
        id_of = self.people.id_of
        owners = {id_of(name): name for cell in cells if (name := cell.strip())}
        if not owners:
            return {"owner_ids": []}
        return {
            "owner_ids": list(owners),
            "owned_by_id": next(iter(owners)),
            "owners": [{"id": each, "name": name} for each, name in owners.items()],
        }

    def labels(self, cell: str) -> list[Record]:
        """The labels in a cell, as nested records."""
        labels = self._labels.get(cell)
        if labels is None:
            found = {each.lower(): each for each in read.split_labels(cell)}
            labels = self._labels[cell] = [self.facts.label(each) for each in found]
        return labels

    def _add_iteration(self, record: Record, cells: list[str], accepted: date | None) -> None:
        """Add the iteration to the project's facts."""
        text = self._cell(cells, "iteration")
        first = self._moment(cells, "iteration start")
        last = self._moment(cells, "iteration end")
        try:
            number = read.parse_iteration(text)
        except ValueError:
            self._misfit("iteration", text, "no iteration number")
            return
        if number is None:
            return
        record["iteration_number"] = number
        if first is None or last is None:
            return
        span = first.day, last.day
        if last.day < first.day:
            end = self._cell(cells, "iteration end")
            self._misfit("iteration end", end, "the iteration ends before it starts")
            return
        self.facts.iterations[number][span].append(record["id"])
        if accepted:
            self.facts.misplaced_count += not first.day <= accepted <= last.day

    def _add_unknown(self, record: Record, cells: list[str], table: str) -> None:
        for header, index in self.columns.unknown:
            if text := cells[index]:
                self._add_extra(record, table, header, index, text)

    def _add_misfits(self, record: Record, cells: list[str], table: str) -> None:
        """Add invalid cells as extra fields.

        Raises:
            RowRefused: if the row may have been split at the wrong commas.
        """
        for name, misfit in self._misfits:
            if not self._proven(cells) and any(each.count('"') % 2 for each in cells):
                raise misfit
            self._add_extra(record, table, misfit.column or name, self._at[name], misfit.value)

    def _add_extra(self, record: Record, table: str, header: str, index: int, text: object) -> None:
        """Add a text under the name of its column, or a similar name if a field has that name."""
        declared = TABLES[table]
        place = f"column {index + 1}"
        is_taken = header in record or header in declared.columns or header in declared.ignored
        record[f"{header} ({place})" if is_taken else header or place] = text

    def _misfit(self, name: str, value: str, reason: str) -> None:
        self._misfits.append((name, self._refused(name, value, reason)))

    def _cell(self, cells: list[str], name: str) -> str:
        return cells[self._at[name]]

    def _moment(self, cells: list[str], name: str) -> Moment | None:
        """The date in a column; None if it is empty or invalid."""
        text = self._cell(cells, name)
        try:
            return self.moments[name][text] if text else None
        except ValueError:
            self._misfit(name, text, "impossible date")
            return None

    def _refused(self, name: str, value: str, reason: str) -> RowRefused:
        index = self._at[name]
        header = self.columns.header[index] if index < self.columns.width else name
        return RowRefused(header, value, reason)


def is_date_only(*moments: Moment | None) -> bool:
    """Whether any of these moments is a date without a time, or there are none."""
    known = [each for each in moments if each]
    return not known or any(each.is_day for each in known)


def _id_in_url(url: str) -> str:
    """The last part of a URL, which is the id in the URLs of stories and epics."""
    return url.strip().rstrip("/").rpartition("/")[2]


def _with_whole_dates(cells: list[str]) -> list[str]:
    """Join dates that were split at their comma because their quotes are missing."""
    joined: list[str] = []
    for cell in cells:
        if joined and _YEAR.fullmatch(cell) and _MONTH_AND_DAY.fullmatch(joined[-1].strip('"')):
            cell = joined.pop().strip('"') + "," + cell.strip('"')
        joined.append(cell)
    return joined
