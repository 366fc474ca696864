"""Ids for people, labels, comments and projects that a file names without an id.

They are negative, so that they never collide with Tracker's ids, and derived from the content, so
that loading the same thing again gives the same id.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict

from ingest.records import Record, stable_id


def normalised(name: str) -> str:
    """Normalise a name for comparison: Unicode form, width, white space and case."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def person_id(name: str) -> int:
    """The id of a person known only by name: 48 bits of the name's SHA-256, negated."""
    return stable_id(normalised(name), bits=48)


def project_id(name: str) -> int:
    """The id of a project known only by name."""
    return stable_id("project", normalised(name), bits=48)


class People:
    """Resolves names to ids, and remembers the names.

    A name that belongs to exactly one known person resolves to that person's id; any other name
    gets a derived id.
    """

    def __init__(self) -> None:
        """Start without any known person."""
        self._ids_by_name: dict[str, set[int]] = defaultdict(set)
        self._cache: dict[str, int] = {}
        self.named: dict[int, str] = {}

    def add(self, identity: int, name: str | None) -> None:
        """Add a person whose real id is known."""
        if name and identity > 0:
            self._ids_by_name[normalised(name)].add(identity)
            self._cache.clear()

    def add_record(self, person: Record | None) -> None:
        """Add a person from an API record."""
        if person and isinstance(person.get("id"), int) and isinstance(person.get("name"), str):
            self.add(person["id"], person["name"])

    def id_of(self, name: str) -> int:
        """The id of the person with this name."""
        found = self._cache.get(name)
        if found is None:
            known = self._ids_by_name.get(normalised(name), set())
            found = next(iter(known)) if len(known) == 1 else person_id(name)
            self._cache[name] = found
            # Of several spellings, keep the same one whatever the reading order.
            spelt = " ".join(name.split())
            self.named[found] = min(self.named.get(found, spelt), spelt)
        return found

    def records(self) -> list[Record]:
        """One record of `people` for each named person without a real id."""
        return [{"id": each, "name": name} for each, name in self.named.items() if each < 0]
