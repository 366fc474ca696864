"""Parse the comments, tasks, blockers and other parts in a row of a stories CSV."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ingest.archive.csv import cells as read
from ingest.archive.csv.columns import Columns
from ingest.archive.dates import Moments
from ingest.archive.project.evidence import ProjectFacts
from ingest.archive.project.people import People
from ingest.records import Record

Cells = Sequence[str] | Mapping[int, str]

PART_IDS = 10_000  # the maximum number of parts of one kind in a story
_REVIEW_STATES = {"unstarted", "in_review", "pass", "revise"}


class StoryParts:
    """Parses the parts of the stories and epics below one header."""

    def __init__(
        self, columns: Columns, facts: ProjectFacts, people: People, moments: Moments
    ) -> None:
        """Prepare to parse.

        Args:
            columns: the header.
            facts: receives the dates of comments.
            people: resolves names to ids.
            moments: parses the dates of comments.
        """
        self._groups = columns.groups
        self._facts, self._people = facts, people
        self._moments = moments
        self._comment_cells = [span[0] for span in columns.groups["comment"]]

    def of_story(self, cells: Cells, identity: int, more_comments: Sequence[str] = ()) -> Record:
        """The lists of a story's parts; without those for which the file has no column.

        Args:
            cells: the row.
            identity: the story's id.
            more_comments: cells after the last column of the header.
        """
        groups = self._groups
        record: Record = {}
        texts = [cells[each] for each in self._comment_cells]
        comments = self.comments([*texts, *more_comments], identity, "story_id")
        if comments or self._comment_cells:
            record["comments"] = comments
        if groups["task"]:
            tasks = self._pairs(cells, "task", identity)
            for part in tasks:
                part["complete"] = part.pop("status") == "completed"
                part["position"] = part.pop("number")
            record["tasks"] = tasks
        if groups["blocker"]:
            blockers = self._pairs(cells, "blocker", identity)
            for part in blockers:
                part["resolved"] = part.pop("status") == "resolved"
                del part["number"]
            record["blockers"] = blockers
        if groups["reviewer"]:
            record["reviews"] = self._reviews(cells, identity)
        for group, name, key in (
            ("pull request", "pull_requests", "original_url"),
            ("git branch", "branches", "name"),
        ):
            if found := [cells[index] for (index,) in groups[group] if cells[index].strip()]:
                record[name] = [
                    {"id": part_id(identity, number), "story_id": identity, key: each.strip()}
                    for number, each in enumerate(found, start=1)
                ]
        return record

    def comments(self, texts: Iterable[str], identity: int, owner: str) -> list[Record]:
        """The comments of a story or an epic, whose id is in the field `owner`."""
        return [
            self._comment(cell, identity, number, owner)
            for number, cell in enumerate(filter(None, texts), start=1)
        ]

    def _comment(self, cell: str, identity: int, number: int, owner: str) -> Record:
        text, author, day = read.split_comment(read.unguarded(cell))
        comment = {"id": part_id(identity, number), owner: identity, "text": text}
        if author and day and (written := self._moments[day]):
            comment["person_id"] = self._people.id_of(author)
            comment["created_at"] = written.text
            self._facts.update_newest(written)
        return comment

    def _pairs(self, cells: Cells, group: str, identity: int) -> list[dict[str, Any]]:
        parts: list[dict[str, Any]] = []
        for index, status in self._groups[group]:
            if index >= 0 and (text := cells[index]):
                number = len(parts) + 1
                parts.append(
                    {
                        "id": part_id(identity, number),
                        "story_id": identity,
                        "description": read.unguarded(text),
                        "status": cells[status].strip().lower() if status >= 0 else "",
                        "number": number,
                    }
                )
        return parts

    def _reviews(self, cells: Cells, identity: int) -> list[Record]:
        reviews: list[Record] = []
        for positions in self._groups["reviewer"]:
            reviewer, kind, status = (
                cells[each].strip() if each >= 0 else "" for each in positions
            )
            if reviewer or kind or status:
                review: Record = {"id": part_id(identity, len(reviews) + 1), "story_id": identity}
                if reviewer:
                    review["reviewer_id"] = self._people.id_of(reviewer)
                if kind:
                    review["review_type"] = {"name": kind}
                if status:
                    spelt = status.lower().replace(" ", "_")
                    review["status"] = spelt if spelt in _REVIEW_STATES else status
                reviews.append(review)
        return reviews


def part_id(identity: int, number: int) -> int:
    """A derived id for a story's n-th comment, task, ..., which have no ids in the file."""
    return -(abs(identity) * PART_IDS + number)
