"""Flow: how much is in each state day by day, what is in progress, and how old it is."""

import altair as alt
import pandas as pd

from bi.pictures import look
from bi.pictures.overview import THROUGHPUT
from bi.pictures.picture import CHOSEN_STORIES, Page, Picture

_MOST_DAYS = 200  # more would lie closer than two pixels, and take a browser longer to draw


def _fewer_days(rows: pd.DataFrame) -> pd.DataFrame:
    """Of a long time every second day, or third, ..., and always the last; each as it was."""
    days_back = (rows["flow_date"].max() - rows["flow_date"]).dt.days
    return rows[days_back % (days_back.max() // _MOST_DAYS + 1) == 0]


def _cumulative(rows: pd.DataFrame) -> alt.Chart:
    return (
        alt.Chart(_fewer_days(rows))
        .mark_area()
        .encode(
            x=look.day_axis("flow_date", "Day"),
            y=alt.Y("story_count:Q", title="Stories at the end of the day", stack="zero"),
            color=look.state_color(),
            order=alt.Order("state_rank:Q"),
            tooltip=[
                alt.Tooltip("flow_date:T", title="Day"),
                alt.Tooltip("story_state:N", title="State"),
                alt.Tooltip("story_count:Q", title="Stories"),
                alt.Tooltip("points:Q", title="Points"),
            ],
        )
    )


def _state_ranks() -> str:
    cases = " ".join(f"when '{state}' then {rank}" for rank, state in enumerate(look.STATE_COLORS))
    return f"case story_state {cases} end"


CUMULATIVE_FLOW = Picture(
    name="cumulative_flow",
    question="Does work flow, or does it pile up?",
    measures=(("fct_flow_daily", "story_count"), ("fct_flow_daily", "points")),
    sql=f"""
select
    flow_date,
    story_state,
    {_state_ranks()} as state_rank,
    story_count,
    cast(points as double) as points
from fct_flow_daily
where
    project_id = $project_id
    and flow_date between $first_date and $last_date
order by flow_date, state_rank
""",
    draw=_cumulative,
)


def _wip(rows: pd.DataFrame) -> alt.Chart:
    return (
        alt.Chart(rows)
        .mark_line(color=look.BLUE, interpolate="step-after")
        .encode(
            x=look.day_axis("flow_date", "Day"),
            y=alt.Y("wip_story_count:Q", title="Stories in progress"),
            tooltip=[
                alt.Tooltip("flow_date:T", title="Day"),
                alt.Tooltip("wip_story_count:Q", title="Stories in progress"),
                alt.Tooltip("wip_points:Q", title="Points in progress"),
            ],
        )
    )


WIP = Picture(
    name="wip",
    question="How much do we have in progress at once?",
    measures=(("fct_flow_daily", "story_count"),),
    sql="""
select
    flow_date,
    cast(sum(story_count) as bigint) as wip_story_count,
    cast(sum(points) as double) as wip_points
from fct_flow_daily
where
    project_id = $project_id
    and flow_date between $first_date and $last_date
    and is_in_progress
group by flow_date
order by flow_date
""",
    draw=_wip,
)


def _aging(rows: pd.DataFrame) -> alt.LayerChart:
    state = alt.X(
        "current_state:N",
        title="State",
        sort=["started", "finished", "delivered", "rejected"],
        axis=alt.Axis(labelAngle=0),
    )
    points = (
        alt.Chart(rows)
        .mark_circle(size=70, opacity=0.8, cursor="pointer")
        .encode(
            x=state,
            xOffset="offset:Q",
            y=alt.Y("age:Q", title="Age (days in progress)"),
            color=alt.Color(
                "risk:N",
                title="Risk",
                scale=alt.Scale(scheme="tableau10"),
            ),
            shape=alt.Shape("is_blocked:N", title="Blocked"),
            href="url:N",
            tooltip=[
                alt.Tooltip("story_name:N", title="Story"),
                alt.Tooltip("owner_names:N", title="Owners"),
                alt.Tooltip("age:Q", title="Age (days)", format=".1f"),
                alt.Tooltip("age_percentile:Q", title="Older than", format=".0%"),
                alt.Tooltip("is_blocked:N", title="Blocked"),
            ],
        )
    )
    lines = [
        alt.Chart(rows)
        .mark_tick(thickness=2, size=70, color=color)
        .encode(
            x=state,
            y=alt.Y(f"max({column}):Q"),
            tooltip=[alt.Tooltip(f"max({column}):Q", title=title, format=".1f")],
        )
        for column, color, title in (
            ("p50", look.GREEN, "Half of the finished stories left the state by (days)"),
            ("p85", look.RED, "85 % of the finished stories left the state by (days)"),
        )
    ]
    return alt.layer(points, *lines)


AGING = Picture(
    name="aging",
    question="What has been in progress for too long?",
    measures=(
        ("fct_wip_aging", "age_seconds"),
        ("fct_wip_aging", "age_percentile"),
        ("fct_wip_aging", "state_p85_age_seconds"),
    ),
    sql=f"""
with {CHOSEN_STORIES}
select
    fct_wip_aging.story_id,
    chosen_stories.story_name,
    chosen_stories.owner_names,
    fct_wip_aging.current_state,
    fct_wip_aging.age_seconds / 86400 as age,
    fct_wip_aging.age_percentile,
    fct_wip_aging.risk,
    fct_wip_aging.is_blocked,
    fct_wip_aging.state_p50_age_seconds / 86400 as p50,
    fct_wip_aging.state_p85_age_seconds / 86400 as p85,
    -- Side by side, so that stories of one age do not hide each other.
    fct_wip_aging.story_id % 7 as "offset",
    chosen_stories.url
from fct_wip_aging
inner join chosen_stories using (story_id)
order by age desc
""",
    draw=_aging,
    empty="Nothing is in progress.",
)


def _efficiency(rows: pd.DataFrame) -> alt.Chart:
    return (
        alt.Chart(rows)
        .mark_line(color=look.GREEN, point=True)
        .encode(
            x=alt.X("accepted_month:T", title="Month of acceptance", timeUnit="yearmonth"),
            y=alt.Y("flow_efficiency:Q", title="Worked on", axis=alt.Axis(format=".0%")),
            tooltip=[
                alt.Tooltip("accepted_month:T", title="Month", timeUnit="yearmonth"),
                alt.Tooltip("flow_efficiency:Q", title="Worked on", format=".0%"),
                alt.Tooltip("story_count:Q", title="Accepted stories"),
            ],
        )
    )


EFFICIENCY = Picture(
    name="flow_efficiency",
    question="How much of its time is a story worked on?",
    measures=(("fct_flow_efficiency", "flow_efficiency"),),
    sql=f"""
with {CHOSEN_STORIES}
select
    cast(date_trunc('month', chosen_stories.accepted_at) as date) as accepted_month,
    sum(active_seconds) / nullif(sum(active_seconds + waiting_seconds), 0)
        as flow_efficiency,
    count(*) as story_count
from fct_flow_efficiency
inner join chosen_stories using (story_id)
where
    fct_flow_efficiency.is_accepted
    and cast(chosen_stories.accepted_at as date) between $first_date and $last_date
group by accepted_month
having flow_efficiency is not null
order by accepted_month
""",
    draw=_efficiency,
)

PAGE = Page("flow", "Flow", (CUMULATIVE_FLOW, WIP, AGING, THROUGHPUT, EFFICIENCY))
