"""Rows of a stories CSV become records as the API gives them; nothing is added to what they say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

from ingest.archive.csv import cells as read
from ingest.archive.csv.columns import SINGLE, Columns
from ingest.archive.csv.days import Days, Midnights
from ingest.archive.csv.rows import check_integrity
from ingest.archive.csv.story_parts import StoryParts
from ingest.archive.errors import RowRefused
from ingest.archive.id_set import IdSet
from ingest.archive.project.evidence import ProjectFacts
from ingest.archive.project.people import People
from ingest.records import Record

_ONE_LINE = ("type", "estimate", "priority", "current state", "labels", "requested by", "url")
_LONGEST_ID = 12


class StoryRows:
    """Reads the rows of one stories CSV.

    What rows say of the project is added to its facts: labels, iterations, estimates.

    Attributes:
        columns: the header.
        facts: the project.
        people: resolves names.
        days: cell -> day; None for an empty cell.
        midnights: day -> the instant at which it begins.
        parts: reads comments, tasks and the like.
    """

    def __init__(
        self,
        columns: Columns,
        facts: ProjectFacts,
        people: People,
        zone: ZoneInfo,
        is_day_first: bool = False,
    ) -> None:
        """Prepare to read rows under a header.

        Args:
            columns: the header.
            facts: the project, which is added to.
            people: resolves names.
            zone: whose days the file speaks of.
            is_day_first: whether dates such as 31/12/2019 begin with the day.
        """
        self.columns = columns
        self.facts = facts
        self.people = people
        self.days = Days(is_day_first)
        self.midnights = Midnights(zone)
        self.parts = StoryParts(columns, facts, people, self.days, self.midnights)
        self._labels: dict[str, list[Record]] = {}
        # Every row gets one empty cell more, which stands for the columns that a file has not.
        absent = columns.width
        self._at = {name: columns.single.get(name, absent) for name in SINGLE}
        at = self._at
        self._type, self._state = at["type"], at["current state"]
        self._title, self._text, self._url = at["title"], at["description"], at["url"]
        self._label_cell, self._requester = at["labels"], at["requested by"]
        self._tail = columns.groups
        self._comes_last = max(
            ((span[0], name) for name, spans in self._tail.items() for span in spans if span),
            default=(-1, ""),
        )
        self._seen = {"stories": IdSet(), "epics": IdSet()}
        self._line_cells = [at[name] for name in _ONE_LINE if at[name] < absent]
        self._comment_cells = [span[0] for span in columns.groups["comment"]]
        self._line_cells += [span[0] for span in self._tail["owned by"]]

    def record(self, cells: list[str]) -> tuple[str, Record]:
        """The table and the record of one row: `stories` (releases too) or `epics`.

        Raises:
            RowRefused: when the row cannot be what was written.
        """
        cells = self._padded(cells)
        identity = self._id(cells)
        story_type = cells[self._type].strip().lower()
        seen = self._seen["epics" if story_type == "epic" else "stories"]
        if identity in seen:
            raise self._refused("id", str(identity), "duplicate id: an earlier row has it")
        if story_type == "epic":
            self._check_url(cells, identity)
            table, record = "epics", self._epic(cells, identity)
        else:
            table, record = "stories", self._checked_story(cells, identity, story_type)
        seen.add(identity)
        return table, record

    def _checked_story(self, cells: list[str], identity: int, story_type: str) -> Record:
        if story_type not in read.STORY_TYPES:
            raise self._refused("type", story_type, "unknown story type")
        state = cells[self._state].strip().lower()
        if state not in read.STATES:
            raise self._refused("current state", state, "unknown story state")
        self._check_url(cells, identity)
        return self._story(cells, identity, story_type, state)

    def _padded(self, cells: list[str]) -> list[str]:
        """A row of the header's width: trailing empty cells are often left out, or too many."""
        width = self.columns.width
        check_integrity(self.columns.header, cells)
        if len(cells) > width and any(cells[width:]) and not self._are_comments(cells[width:]):
            raise RowRefused(None, cells[width], f"more cells than the header's {width}")
        for index in self._line_cells:
            if index < len(cells) and "\n" in cells[index]:
                header = self.columns.header[index]
                raise RowRefused(header, cells[index], "broken quoting: a line break in this cell")
        return cells[:width] + [""] * (width + 1 - len(cells[:width])) + cells[width:]

    def _are_comments(self, extra: list[str]) -> bool:
        is_tail = self._comes_last[1] == "comment"
        return is_tail and all(read.split_comment(each)[1] for each in extra if each)

    def _id(self, cells: list[str]) -> int:
        text = self._cell(cells, "id").strip().lstrip("#")
        if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID and int(text)):
            raise self._refused("id", text, "no story id")
        return int(text)

    def _check_url(self, cells: list[str], identity: int) -> None:
        """A row whose URL is another story's is two rows fused by a broken quote."""
        url = cells[self._url].strip()
        if url and url.rstrip("/").rpartition("/")[2] != str(identity):
            raise self._refused("url", url, "the URL is not this story's: rows are fused or moved")

    def _story(self, cells: list[str], identity: int, story_type: str, state: str) -> Record:
        facts = self.facts
        created = self._day(cells, "created at")
        accepted = self._day(cells, "accepted at")
        deadline = self._day(cells, "deadline")
        record: Record = {
            "id": identity,
            "project_id": facts.id,
            "name": read.unguarded(cells[self._title]),
            "story_type": story_type,
            "current_state": state,
            "labels": self.labels(cells[self._label_cell]),
        }
        if description := cells[self._text]:
            record["description"] = read.unguarded(description)
        if url := cells[self._url].strip():
            record["url"] = url
        if created:
            record["created_at"] = self.midnights[created]
        if accepted:
            record["accepted_at"] = self.midnights[accepted]
        if deadline:
            record["deadline"] = self.midnights[deadline]
        self._add_points(record, cells)
        self._add_people(record, cells)
        record.update(self.parts.of_story(cells, identity, cells[self.columns.width + 1 :]))
        self._add_iteration(record, cells, accepted if state == "accepted" else None)
        self._add_unknown(record, cells)
        facts.saw_day(created)
        facts.saw_day(accepted)
        return record

    def _epic(self, cells: list[str], identity: int) -> Record:
        record: Record = {
            "id": identity,
            "project_id": self.facts.id,
            "name": read.unguarded(cells[self._title]),
        }
        if labels := self.labels(cells[self._label_cell]):
            record["label"] = labels[0]
        if description := cells[self._text]:
            record["description"] = read.unguarded(description)
        if url := cells[self._url].strip():
            record["url"] = url
        if created := self._day(cells, "created at"):
            record["created_at"] = self.midnights[created]
            self.facts.saw_day(created)
        texts = [cells[each] for each in self._comment_cells]
        texts += cells[self.columns.width + 1 :]
        if comments := self.parts.comments(texts, identity, "epic_id"):
            record["comments"] = comments
        self._add_unknown(record, cells)
        return record

    def ids(self, table: str) -> IdSet:
        """The ids of all rows so far that could be read: of stories, or of epics."""
        return self._seen[table]

    def _add_points(self, record: Record, cells: list[str]) -> None:
        estimate, priority = self._cell(cells, "estimate"), self._cell(cells, "priority")
        if estimate:
            try:
                points = read.parse_estimate(estimate)
            except ValueError:
                raise self._refused("estimate", estimate, "no estimate") from None
            if points is not None:
                record["estimate"] = points
                self.facts.estimates.add(points)
        if priority:
            try:
                record["story_priority"] = read.parse_priority(priority)
            except ValueError:
                raise self._refused("priority", priority, "unknown priority") from None

    def _add_people(self, record: Record, cells: list[str]) -> None:
        id_of = self.people.id_of
        if requester := cells[self._requester].strip():
            record["requested_by_id"] = id_of(requester)
        record.update(self.owners([cells[index] for (index,) in self._tail["owned by"]]))

    def owners(self, cells: Sequence[str]) -> Record:
        """The fields that the cells of a story's owners fill."""
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
        """The labels that a cell names."""
        labels = self._labels.get(cell)
        if labels is None:
            found = {each.lower(): each for each in read.split_labels(cell)}
            labels = self._labels[cell] = [self.facts.label(each) for each in found]
        return labels

    def _add_iteration(self, record: Record, cells: list[str], accepted: date | None) -> None:
        """Take note of an iteration; only an accepted story makes it history."""
        text = self._cell(cells, "iteration").strip()
        first, last = self._day(cells, "iteration start"), self._day(cells, "iteration end")
        if not text:
            return
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise self._refused("iteration", text, "no iteration number")
        record["iteration_number"] = number = int(text)
        if first is None or last is None:
            return
        if last < first:
            shown = self._cell(cells, "iteration end")
            raise self._refused("iteration end", shown, "the iteration ends before it starts")
        self.facts.spans[first, last] += 1
        if accepted:
            self.facts.iterations[number][first, last].append(record["id"])
            self.facts.misplaced_count += not first <= accepted <= last

    def _add_unknown(self, record: Record, cells: list[str]) -> None:
        for header, index in self.columns.unknown:
            if text := cells[index]:
                if header in record:
                    kept = record[header]
                    record[header] = [*(kept if isinstance(kept, list) else [kept]), text]
                else:
                    record[header or f"column {index + 1}"] = text

    def _cell(self, cells: list[str], name: str) -> str:
        return cells[self._at[name]]

    def _day(self, cells: list[str], name: str) -> date | None:
        text = cells[self._at[name]]
        if not text:
            return None
        try:
            return self.days[text]
        except ValueError:
            raise self._refused(name, text, "impossible date") from None

    def _refused(self, name: str, value: str, reason: str) -> RowRefused:
        index = self._at[name]
        header = self.columns.header[index] if index < self.columns.width else name
        return RowRefused(header, value, reason)
