"""Ids of what a file names without an id: people, labels, comments, projects.

They are negative, so that they never meet an id of Tracker's, and made from what is named, so
that every load of the same thing gives the same id.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import defaultdict

from ingest.records import Record


def stable_id(*parts: object, bits: int = 62) -> int:
    """A negative number made from the given parts alone."""
    text = "\x1f".join(str(part) for part in parts)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return -(int.from_bytes(digest[:8], "big") >> (64 - bits)) or -1


def normalised(name: str) -> str:
    """A name as it is compared: one spelling of accents, widths, spaces and case."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def person_id(name: str) -> int:
    """The id of a person of whom only the name is known: 48 bits of its SHA-256, negative."""
    return stable_id(normalised(name), bits=48)


def project_id(name: str) -> int:
    """The id of a project of which only the name is known."""
    return stable_id("project", normalised(name), bits=48)


class People:
    """Resolves names to ids, and remembers who was named.

    A name that exactly one known person has gets that person's id; other names get an id of
    their own.
    """

    def __init__(self) -> None:
        """Know nobody yet."""
        self._ids_by_name: dict[str, set[int]] = defaultdict(set)
        self._cache: dict[str, int] = {}
        self.named: dict[int, str] = {}

    def know(self, identity: int, name: str | None) -> None:
        """Take note of a person whose real id is known."""
        if name and identity > 0:
            self._ids_by_name[normalised(name)].add(identity)
            self._cache.clear()

    def know_record(self, person: Record | None) -> None:
        """Take note of a person as the API gives one."""
        if person and isinstance(person.get("id"), int) and isinstance(person.get("name"), str):
            self.know(person["id"], person["name"])

    def id_of(self, name: str) -> int:
        """The id of whoever has this name."""
        found = self._cache.get(name)
        if found is None:
            known = self._ids_by_name.get(normalised(name), set())
            found = next(iter(known)) if len(known) == 1 else person_id(name)
            self._cache[name] = found
            # Of several spellings always the same one, whichever is read first.
            spelt = " ".join(name.split())
            self.named[found] = min(self.named.get(found, spelt), spelt)
        return found

    def records(self) -> list[Record]:
        """One record of `people` for each person who was named and has no real id."""
        return [{"id": each, "name": name} for each, name in self.named.items() if each < 0]
