"""How all pictures look: colours that the colour-blind tell apart, sizes, axes, links."""

from __future__ import annotations

import altair as alt

HEIGHT = 280
# As SVG each mark can be found, by a screen reader too; links open beside the page.
_EMBED_OPTIONS = {"renderer": "svg", "loader": {"target": "_blank"}, "actions": False}

# Okabe and Ito's colours, chosen to stay apart on white and on black.
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
}
TYPE_COLORS = {"feature": ORANGE, "bug": RED, "chore": GREY, "release": BLUE}


def state_color(title: str = "State", states: tuple[str, ...] = tuple(STATE_COLORS)) -> alt.Color:
    """The colour of a story's state, in the order of work."""
    return alt.Color(
        "story_state:N",
        title=title,
        sort=list(states),
        scale=alt.Scale(domain=list(states), range=[STATE_COLORS[each] for each in states]),
    )


def type_color(title: str = "Story type") -> alt.Color:
    """The colour of a story's type."""
    return alt.Color(
        "story_type:N",
        title=title,
        scale=alt.Scale(domain=list(TYPE_COLORS)[:3], range=list(TYPE_COLORS.values())[:3]),
    )


def iteration_axis() -> alt.X:
    """An axis of iterations, by their numbers."""
    return alt.X(
        "iteration_number:O",
        title="Iteration",
        axis=alt.Axis(labelOverlap=True, labelAngle=0),
    )


def day_axis(field: str, title: str) -> alt.X:
    """An axis of days, in the project's zone."""
    return alt.X(
        f"{field}:T", title=title, axis=alt.Axis(format="%d %b %y", labelOverlap=True, tickCount=6)
    )


def framed(chart: alt.Chart | alt.LayerChart) -> alt.Chart | alt.LayerChart:
    """The chart as wide as its place."""
    return chart.properties(
        width="container",
        height=HEIGHT,
        background="transparent",
        autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
        usermeta={"embedOptions": _EMBED_OPTIONS},
    ).configure_legend(orient="top", symbolLimit=12, labelLimit=120, columns=4)
