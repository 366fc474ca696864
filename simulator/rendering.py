"""Render entities as API records: the requested fields in order, without null values.

A resource kind has getters, default fields, and fields that are always returned. A selection is
compiled into a list of getters once per request, so that rendering 500 stories with their nested
lists is fast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from simulator.fields import FieldsError, Selection
from simulator.instants import iso, millis, utc_offset
from simulator.workspace import Workspace

# (renderer, entity, selection of a nested resource) -> value, None meaning absent
Getter = Callable[["Renderer", object, Selection], object]
Step = tuple[str, Getter, Selection]


@dataclass(frozen=True, slots=True)
class Kind:
    """The fields of a kind of resource, besides `kind`; `default` names are separated by spaces."""

    name: str
    getters: dict[str, Getter]
    default: str
    always: tuple[str, ...] = ("id",)


@dataclass(slots=True)
class Renderer:
    """Renders entities of a workspace for one request.

    `memo` caches what several entities of the request share.
    """

    workspace: Workspace
    kinds: dict[str, Kind]
    in_millis: bool = False
    title_for_name: bool = False
    _plans: dict[tuple[str, Selection], list[Step]] = field(default_factory=dict)
    memo: dict[tuple[str, int, Selection], dict] = field(default_factory=dict)

    def moment(self, instant: int | None) -> object:
        """Format an instant as requested."""
        if instant is None:
            return None
        return millis(instant) if self.in_millis else iso(instant)

    def one(self, kind: str, entity: object, selection: Selection = ()) -> dict[str, object]:
        """Return one entity as a record."""
        record = {}
        for name, getter, nested in self._plan(kind, selection):
            value = getter(self, entity, nested)
            if value is not None:
                record[name] = value
        return record

    def many(
        self, kind: str, entities: Iterable[object], selection: Selection = ()
    ) -> list[dict[str, object]]:
        """Return entities as records."""
        return [self.one(kind, entity, selection) for entity in entities]

    def shared(
        self, kind: str, number: int, entity: object, selection: Selection = ()
    ) -> dict[str, object]:
        """Return a record that occurs in many others (a label, a person), rendered only once."""
        key = (kind, number, selection)
        record = self.memo.get(key)
        if record is None:
            record = self.memo[key] = self.one(kind, entity, selection)
        return record

    def _plan(self, kind_name: str, selection: Selection) -> list[Step]:
        plan = self._plans.get((kind_name, selection))
        if plan is None:
            plan = self._compile(self.kinds[kind_name], selection)
            self._plans[(kind_name, selection)] = plan
        return plan

    def _compile(self, kind: Kind, selection: Selection) -> list[Step]:
        wanted: dict[str, Selection] = {}
        for name, nested in selection or ((":default", ()),):
            if name == ":default":
                for each in kind.default.split():
                    wanted.setdefault(each, ())
            else:
                wanted["name" if name == "title" else name] = nested
        for name in kind.always:
            wanted.setdefault(name, ())
        getters = {"kind": constant(kind.name), **kind.getters}
        if unknown := [name for name in wanted if name not in getters]:
            raise FieldsError(f"{kind.name} has no field {unknown[0]!r}")
        titled = self.title_for_name and kind.name in {"story", "project"}
        return [
            ("title" if titled and name == "name" else name, getters[name], nested)
            for name, nested in wanted.items()
        ]


def picked(record: dict[str, object], selection: Selection, always: tuple[str, ...]) -> object:
    """Return the selected fields of a complete record (activities, analytics)."""
    if not selection or any(name == ":default" for name, _ in selection):
        return record
    names = dict.fromkeys([*(name for name, _ in selection), *always])
    nested = dict(selection)
    chosen = {}
    for name in names:
        if name in record:
            value, inner = record[name], nested.get(name, ())
            if inner and isinstance(value, dict):
                value = picked(value, inner, ("id",))
            elif inner and isinstance(value, list):
                value = [picked(each, inner, ("id",)) for each in value]
            chosen[name] = value
    return chosen


def attribute(name: str) -> Getter:
    """Return a getter of a plain attribute."""
    return lambda renderer, entity, nested: getattr(entity, name)


def plain(*names: str) -> dict[str, Getter]:
    """Return getters of plain attributes, by name."""
    return {name: attribute(name) for name in names}


def dated(*names: str) -> dict[str, Getter]:
    """Return getters of instants, by name."""
    return {name: moment(name) for name in names}


def text(name: str) -> Getter:
    """Return a getter of a text that is omitted if empty."""
    return lambda renderer, entity, nested: getattr(entity, name) or None


def moment(name: str) -> Getter:
    """Return a getter of an instant."""
    return lambda renderer, entity, nested: renderer.moment(getattr(entity, name))


def constant(value: object) -> Getter:
    """Return a getter with the same value for every entity."""
    return lambda renderer, entity, nested: value


def parts(kind: str, name: str) -> dict[str, Getter]:
    """Return the two forms of an association: nested (`comments`) and ids (`comment_ids`)."""
    return {
        name: lambda renderer, entity, nested: renderer.many(kind, getattr(entity, name), nested),
        f"{name[:-1]}_ids": lambda renderer, entity, nested: [
            each.id for each in getattr(entity, name)
        ],
    }


def person(name: str, id_attribute: str) -> dict[str, Getter]:
    """Return the two forms of a reference to a person, `reviewer` and `reviewer_id`."""

    def nested_person(renderer: Renderer, entity: object, nested: Selection) -> object:
        number = getattr(entity, id_attribute)
        return None if number is None else person_record(renderer, number, nested)

    return {name: nested_person, id_attribute: attribute(id_attribute)}


def person_record(renderer: Renderer, number: int, nested: Selection) -> dict[str, object]:
    """Return a person's record by id."""
    return renderer.shared("person", number, renderer.workspace.people[number], nested)


def zone_record(renderer: Renderer, name: str) -> dict[str, object]:
    """Return the record of a time zone, with its current offset."""
    offset = utc_offset(renderer.workspace.now, name)
    return {"kind": "time_zone", "olson_name": name, "offset": offset}
