"""Infer a project's settings from its iterations and estimates."""

from __future__ import annotations

from array import array
from collections import Counter
from datetime import date, timedelta
from typing import Any

from ingest.archive.dates import iso, midnight
from ingest.archive.options import ArchiveOptions
from ingest.archive.project.evidence import ProjectFacts
from ingest.records import Record

_WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_SCALES = ("0,1,2,3", "0,1,2,4,8", "0,1,2,3,5,8")
_LONGEST_ITERATION = 4  # weeks, as a setting; an override may be longer

Span = tuple[date, date]


def project_record(facts: ProjectFacts, options: ArchiveOptions) -> Record:
    """The record of a project from CSV files, with the names of the inferred settings."""
    inferred = _inferred(facts)
    given: dict[str, Any] = {
        "iteration_length": options.iteration_length,
        "week_start_day": options.week_start_day,
        "point_scale": options.point_scale,
        "time_zone": options.time_zone,
    }
    settings = {**inferred, **{name: value for name, value in given.items() if value}}
    names = sorted(name for name in settings if not given.get(name))
    zone = settings.pop("time_zone")
    return {
        "id": facts.id,
        "name": facts.name,
        "time_zone": {"olson_name": zone},
        **settings,
        **_kind_of_scale(settings.get("point_scale"), is_given=bool(options.point_scale)),
        "inferred_fields": names,
        **({"resembles_project_id": facts.resembles} if facts.resembles else {}),
    }


def _kind_of_scale(scale: str | None, *, is_given: bool) -> Record:
    """Whether a scale is the project's own; estimates on one of Tracker's do not tell."""
    if scale is None or (scale in _SCALES and not is_given):
        return {}
    return {"point_scale_is_custom": scale not in _SCALES}


def iteration_records(facts: ProjectFacts, options: ArchiveOptions) -> list[Record]:
    """The iterations that the rows state, and the ones without stories in between.

    If iterations 3 and 6 are known, 4 and 5 are added and marked as inferred, provided that the
    days in between divide into iterations of equal length. The last day in an export is inclusive;
    the API's `finish` is the start of the next iteration.
    """
    stated = {
        number: _most_common_span(spans) for number, spans in sorted(facts.iterations.items())
    }
    records = [
        _iteration(facts, options, number, span, stories)
        for number, (span, stories) in stated.items()
    ]
    numbers = list(stated)
    for before, after in zip(numbers, numbers[1:], strict=False):
        first, last = stated[before][0][1] + timedelta(1), stated[after][0][0]
        count = after - before - 1
        days = (last - first).days
        if count and days > 0 and days % (7 * count) == 0:
            step = timedelta(days // count)
            for index in range(count):
                span = (first + index * step, first + (index + 1) * step - timedelta(1))
                record = _iteration(facts, options, before + 1 + index, span, [])
                records.append({**record, "is_inferred": True})
    return sorted(records, key=lambda each: each["number"])


def _iteration(
    facts: ProjectFacts, options: ArchiveOptions, number: int, span: Span, stories: list[int]
) -> Record:
    finish = span[1] + timedelta(1)
    return {
        "project_id": facts.id,
        "number": number,
        "length": max(1, round((finish - span[0]).days / 7)),
        "story_ids": stories,
        "start": iso(midnight(span[0], options.zone)),
        "finish": iso(midnight(finish, options.zone)),
    }


def _most_common_span(spans: dict[Span, array[int]]) -> tuple[Span, list[int]]:
    span = max(sorted(spans), key=lambda each: len(spans[each]))
    return span, sorted(story for stories in spans.values() for story in stories)


def _inferred(facts: ProjectFacts) -> dict[str, Any]:
    spans = [_most_common_span(each)[0] for _, each in sorted(facts.iterations.items())]
    found: dict[str, Any] = {"time_zone": "UTC"}
    if spans:
        lengths = Counter(((last - first).days + 1, first.weekday()) for first, last in spans)
        (days, weekday), _ = lengths.most_common(1)[0]
        found["week_start_day"] = _WEEKDAYS[weekday]
        if days % 7 == 0 and days // 7 <= _LONGEST_ITERATION:
            found["iteration_length"] = days // 7
    if facts.estimates:
        found["point_scale"] = _scale(facts.estimates)
    return found


def _scale(estimates: set[float]) -> str:
    """The first of Tracker's own scales that contains all estimates, else the estimates."""
    for scale in _SCALES:
        if estimates <= {float(each) for each in scale.split(",")}:
            return scale
    return ",".join(f"{each:g}" for each in sorted(estimates))
