"""Filter lists of stories (docs/tracker-api.md, Lists of stories)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date
from typing import TYPE_CHECKING

from simulator.answers import ApiError, Request
from simulator.entities import Story
from simulator.instants import local_midnight, to_instant

if TYPE_CHECKING:
    from simulator.routes import Call

Test = Callable[[Story], bool]

_EQUALS = {
    "with_state": "current_state",
    "with_story_type": "story_type",
    "with_story_priority": "story_priority",
}
_DATES = ("updated", "created", "accepted", "deadline")
_ALONE = {"filter", "date_format", "limit", "offset", "envelope", "fields"}
_TERM = re.compile(r'(-?)(?:(\w+):)?("[^"]*"|\S+)')


def matching_stories(stories: Iterable[Story], call: Call) -> list[Story]:
    """Return the stories that match every parameter of a request, in the given order.

    `..._after` and `..._before` exclude the instant itself.

    Raises:
        ApiError: `invalid_parameter` for an invalid date, or `filter` with other parameters.
    """
    request = call.request
    tests = [*_parameter_tests(request), *_label_tests(request, call)]
    if text := request.query.get("filter"):
        if request.query.keys() - _ALONE:
            problem = "filter cannot be combined with other parameters"
            raise ApiError("invalid_parameter", general_problem=problem)
        tests += _filter_tests(text, call)
    found = list(stories)
    for test in tests:
        found = [story for story in found if test(story)]
    return found


def _parameter_tests(request: Request) -> Iterable[Test]:
    for name, attribute in _EQUALS.items():
        if value := request.query.get(name):
            yield lambda story, a=attribute, v=value: getattr(story, a) == v
    for word in _DATES:
        key = "deadline" if word == "deadline" else f"{word}_at"
        after, before = request.instant(f"{word}_after"), request.instant(f"{word}_before")
        if after is not None:
            yield lambda story, k=key, t=after: (getattr(story, k) or 0) > t
        if before is not None:
            yield lambda story, k=key, t=before: 0 < (getattr(story, k) or 0) < t


def _label_tests(request: Request, call: Call) -> Iterable[Test]:
    if name := request.query.get("with_label"):
        label_id = call.project.label_ids_by_name.get(name.lower())
        yield lambda story: label_id in story.label_ids


def _filter_tests(text: str, call: Call) -> list[Test]:
    """Parse the part of the search syntax that is needed here: simple terms joined by AND."""
    tests: list[Test] = []
    if "includedone:true" not in text:
        start = call.workspace.calendar(call.project.id).current.start
        tests.append(lambda story: story.accepted_at is None or story.accepted_at >= start)
    for minus, key, value in _TERM.findall(text):
        test = _term_test(key.lower(), value.strip('"'), call)
        if test is not None:
            tests.append((lambda story, t=test: not t(story)) if minus else test)
    return tests


def _term_test(key: str, value: str, call: Call) -> Test | None:
    values = set(value.lower().split(","))
    if key in {"", "name"}:
        return lambda story: value.lower() in story.name.lower()
    if key in {"type", "story_type"}:
        return lambda story: story.story_type in values
    if key in {"state", "current_state"}:
        return lambda story: story.current_state in values
    if key == "id":
        return lambda story: str(story.id) in values
    if key == "label":
        label_id = call.project.label_ids_by_name.get(value.lower())
        return lambda story: label_id in story.label_ids
    for word in ("created", "updated", "accepted"):
        if key.startswith(word):
            return _date_test(word, key, value, call)
    return None


def _date_test(word: str, key: str, value: str, call: Call) -> Test:
    """Return a test like `updated_since:2025-01-31` or `accepted_before:2025-01-31T00:00:00Z`."""
    try:
        instant = to_instant(value)
    except ValueError:
        instant = _local_day(value, call)
    attribute = f"{word}_at"
    if key.endswith("_before"):
        return lambda story: 0 < (getattr(story, attribute) or 0) < instant
    return lambda story: (getattr(story, attribute) or 0) >= instant


def _local_day(value: str, call: Call) -> int:
    try:
        return local_midnight(date.fromisoformat(value), call.project.time_zone)
    except ValueError:
        problem = "The date you requested could not be parsed. See FAQ for valid formats."
        raise ApiError("invalid_parameter", general_problem=problem) from None
