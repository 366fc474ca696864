"""The common style of all pictures: colours, axes, formats and tooltips for Vega-Lite."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, timedelta

from bi import words
from bi.pictures.picture import Row, Spec

HEIGHT = 260

# Okabe and Ito's colours, which colour-blind readers can distinguish, on white and on black.
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
RED, SKY, GREY = "#D55E00", "#56B4E9", "#8C8C8C"

STATE_COLORS = {
    "accepted": GREEN,
    "delivered": SKY,
    "finished": BLUE,
    "started": ORANGE,
    "rejected": RED,
    "planned": PINK,
    "unstarted": "#BDBDBD",
    "unscheduled": "#7F7F7F",
    "unknown": "#5B4E77",
}
TYPE_COLORS = {"feature": ORANGE, "bug": RED, "chore": GREY}
RISK_COLORS = {"low risk": SKY, "medium risk": ORANGE, "high risk": RED, "risk unknown": GREY}
_FORMATS = {
    "count": ",d",
    "whole": "d",
    "points": ",.4~r",
    "days": ",.3~r",
    "share": ".0%",
    "date": "%-d %b %Y",
    "month": "%b %Y",
    "instant": "%-d %b %Y %H:%M",
}


def spec(rows: Iterable[Row], *layers: Spec, **properties: object) -> Spec:
    """A chart of rows, with one or more layers, without those whose values are all unknown.

    It has no layers, and is not drawn, if its frame would be empty.
    """
    rows = list(rows)
    drawn = [each for each in layers if "data" in each or _is_known(rows, each["encoding"])]
    if not any("data" not in each and _is_visible(rows, each) for each in drawn):
        drawn = []
    data = {"values": [{key: local_midnight(value) for key, value in row.items()} for row in rows]}
    return {
        "data": data,
        **(drawn[0] if len(drawn) == 1 else {"layer": drawn}),
        **properties,
    }


def weekly_bars(rows: list[Row], y: Spec, color: Spec, tooltip: list[Spec]) -> Spec:
    """A stacked bar for each week, as wide as its share of the chart."""
    weeks = len({row["week_start_date"] for row in rows})
    return spec(
        rows,
        layer(
            "bar",
            mark_width={"expr": f"max(1, width / {weeks} - 1)"},
            x=days_axis(rows, "week_start_date"),
            y=y,
            color=color,
            tooltip=tooltip,
        ),
    )


def _is_known(rows: list[Row], encoding: Spec) -> bool:
    """Whether each position of a layer has a value in some row: an axis needs at least one."""
    fields = [encoding[channel].get("field") for channel in ("x", "y") if channel in encoding]
    return all(
        any(row.get(field, "computed") is not None for row in rows) for field in fields if field
    )


def _is_visible(rows: list[Row], chart: Spec) -> bool:
    """Whether a layer has a number other than 0 (or no numbers), and a line has two ends."""
    mark, channels = chart["mark"], [chart["encoding"].get(name, {}) for name in ("x", "y")]
    if mark["type"] in ("line", "area") and not mark.get("point"):
        field = channels[0].get("field")
        if len({row.get(field) for row in rows}) < 2:
            return False
    fields = [each["field"] for each in channels if each.get("type") == "quantitative"]
    return not fields or any(row.get(field, "computed") for row in rows for field in fields)


def local_midnight(value: object) -> object:
    """A date as local midnight, so that no time zone changes it."""
    return f"{value.isoformat()}T00:00:00" if type(value) is date else value


def layer(
    mark: str,
    color: str | None = None,
    /,
    series: tuple[str, dict[str, str]] | None = None,
    **encoding: object,
) -> Spec:
    """A mark with its channels; `mark_<property>` arguments are the mark's own properties.

    Args:
        mark: Vega-Lite's name of the mark.
        color: its colour, if it is fixed.
        series: the layer's name in the legend, and all names in the legend with their colours.
        encoding: channels, and properties of the mark.
    """
    properties = {
        key.removeprefix("mark_"): encoding.pop(key)
        for key in list(encoding)
        if key.startswith("mark_")
    }
    if color:
        properties["color"] = color
    chart: Spec = {"mark": {"type": mark, **properties}, "encoding": encoding}
    if series:
        name, colors = series
        chart["transform"] = [{"calculate": json.dumps(name), "as": "series"}]
        encoding["color"] = category("series", None, scale=scale(colors))
    return chart


def quantity(column: str, title: str | None = None, **more: object) -> Spec:
    """A channel of a number, on an axis in its unit; counts have whole ticks."""
    kind = words.kind(column)
    axis: Spec = {"format": _FORMATS.get(kind, ",.4~f")}
    if kind in ("count", "whole", "points"):
        axis |= {"tickMinStep": 1, "labelExpr": "datum.value % 1 ? '' : datum.label"}
    channel = {"field": column, "type": "quantitative", "title": title or words.heading(column)}
    if column.startswith("max("):
        return channel | more
    return channel | {"axis": axis} | more


def category(column: str, title: str | None = "", **more: object) -> Spec:
    """A channel of names."""
    heading = words.heading(column) if title == "" else title
    return {"field": column, "type": "nominal", "title": heading, **more}


def days_axis(rows: list[Row], column: str, title: str | None = None) -> Spec:
    """An axis of days with ticks on whole days, weeks or months, without repeated labels."""
    dates = [row[column] for row in rows if row[column] is not None]
    span = (max(dates) - min(dates) if dates else timedelta()).days
    interval, step = ("month", span // 240 + 1) if span > 120 else ("day", span // 8 + 1)
    return {
        "field": column,
        "type": "temporal",
        "title": title or words.heading(column),
        "axis": {
            "format": _FORMATS["date"],
            "labelOverlap": True,
            "tickCount": {"interval": interval, "step": step},
        },
    }


def month_axis(column: str) -> Spec:
    """An axis of months."""
    return {
        "field": column,
        "type": "temporal",
        "timeUnit": "yearmonth",
        "title": words.heading(column),
        "axis": {"format": _FORMATS["month"], "labelOverlap": True, "tickCount": "month"},
    }


def iteration_axis() -> Spec:
    """An axis of iteration numbers."""
    return {
        "field": "iteration_number",
        "type": "ordinal",
        "title": "Iteration",
        "axis": {"labelOverlap": True, "labelAngle": 0},
    }


def iteration_line(rows: list[Row], column: str, title: str, *more_tips: str) -> Spec:
    """A number of each iteration as a line with points."""
    return spec(
        rows,
        layer(
            "line",
            BLUE,
            mark_point={"color": BLUE},
            x=iteration_axis(),
            y=quantity(column, title),
            tooltip=tips("iteration_number", column, *more_tips),
        ),
    )


def scale(colors: dict[str, str]) -> Spec:
    """A scale in which each name has the same colour on every page."""
    return {"domain": list(colors), "range": list(colors.values())}


def state_color(states: Iterable[str] = STATE_COLORS) -> Spec:
    """The colour of a story's state, in workflow order."""
    chosen = {state: STATE_COLORS[state] for state in states}
    return category("story_state", "State", scale=scale(chosen), sort=list(chosen))


def type_color() -> Spec:
    """The colour of a story's type."""
    return category("story_type", "Type", scale=scale(TYPE_COLORS))


def tips(*columns: str) -> list[Spec]:
    """Tooltips for these columns, with labels and units."""
    channels = []
    for column in columns:
        kind = words.kind(column)
        temporal = kind in ("date", "month", "instant")
        plain = "nominal" if kind in ("text", "yes") else "quantitative"
        tip: Spec = {
            "field": column,
            "type": "temporal" if temporal else plain,
            "title": words.heading(column),
        }
        if kind in _FORMATS:
            tip["format"] = _FORMATS[kind]
        channels.append(tip)
    return channels


def bars_height(rows: list[Row], column: str, step: int = 40) -> int:
    """The height of a chart with one bar for each name in a column."""
    return step * len({row[column] for row in rows})


def framed(chart: Spec, description: str) -> Spec:
    """The chart at full width, with a description for screen readers."""
    framed_chart: Spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": "container",
        "height": HEIGHT,
        "background": "transparent",
        "autosize": {"type": "fit-x", "contains": "padding"},
        "description": description,
    }
    return framed_chart | chart
