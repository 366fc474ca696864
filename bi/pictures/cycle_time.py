"""Cycle time: how long stories take, where they wait, and what can be promised."""

import altair as alt
import pandas as pd

from bi.pictures import look
from bi.pictures.picture import CHOSEN_STORIES, Page, Picture

_MOST_POINTS = 1500  # more would cover each other, and take a browser longer to draw
# Square roots show the few long ones without pressing all the others together.
_DAYS = alt.Y("cycle_days:Q", title="Cycle time (days)", scale=alt.Scale(type="sqrt"))

_TIMED_STORIES = f"""
with {CHOSEN_STORIES},
timed_stories as (
    select
        chosen_stories.story_id,
        chosen_stories.story_name,
        chosen_stories.story_type,
        chosen_stories.url,
        fct_story_cycle_time.accepted_at,
        cast(
            timezone(coalesce(dim_project.time_zone, 'UTC'), fct_story_cycle_time.accepted_at)
            as date
        ) as accepted_date,
        fct_story_cycle_time.cycle_time_seconds,
        fct_story_cycle_time.cycle_time_seconds / 86400 as cycle_days,
        fct_story_cycle_time.started_seconds,
        fct_story_cycle_time.finished_seconds,
        fct_story_cycle_time.delivered_seconds,
        fct_story_cycle_time.rejected_seconds
    from fct_story_cycle_time
    inner join chosen_stories using (story_id)
    inner join dim_project on fct_story_cycle_time.project_id = dim_project.project_id
    where
        fct_story_cycle_time.is_accepted
        and fct_story_cycle_time.cycle_time_seconds is not null
),
shown_stories as (
    select * from timed_stories where accepted_date between $first_date and $last_date
)
"""


def _fewer_stories(rows: pd.DataFrame) -> pd.DataFrame:
    """Of many stories every second one, or third, ..., and all that took longest; as drawn."""
    step = (len(rows) - 1) // _MOST_POINTS + 1
    is_long = rows["cycle_days"] > rows["p95_days"]
    is_drawn = is_long | (pd.RangeIndex(len(rows)) % step == 0)
    return rows.loc[is_drawn, ["story_name", "story_type", "accepted_date", "cycle_days", "url"]]


def _scatter(rows: pd.DataFrame) -> alt.LayerChart:
    points = (
        alt.Chart(_fewer_stories(rows))
        .mark_circle(size=45, opacity=0.65, cursor="pointer")
        .encode(
            x=look.day_axis("accepted_date", "Accepted"),
            y=_DAYS,
            color=look.type_color(),
            href="url:N",
            tooltip=[
                alt.Tooltip("story_name:N", title="Story"),
                alt.Tooltip("story_type:N", title="Story type"),
                alt.Tooltip("accepted_date:T", title="Accepted"),
                alt.Tooltip("cycle_days:Q", title="Cycle time (days)", format=".2f"),
            ],
        )
    )
    first = rows.head(1)
    lines = pd.DataFrame(
        {
            "percentile": ["50 %", "85 %", "95 %"],
            "cycle_days": [float(first[f"p{each}_days"].iloc[0]) for each in (50, 85, 95)],
        }
    )
    rules = (
        alt.Chart(lines)
        .mark_rule(strokeDash=[5, 4], color=look.GREY, size=1.5)
        .encode(
            y="cycle_days:Q",
            tooltip=[
                alt.Tooltip("percentile:N", title="Of the stories shown"),
                alt.Tooltip("cycle_days:Q", title="took at most (days)", format=".1f"),
            ],
        )
    )
    labels = (
        alt.Chart(lines)
        .mark_text(align="right", dx=-4, dy=-6, color=look.GREY)
        .encode(x=alt.value("width"), y="cycle_days:Q", text="percentile:N")
    )
    return points + rules + labels


SCATTER = Picture(
    name="cycle_time",
    question="How long does a story take, from start to acceptance?",
    measures=(("fct_story_cycle_time", "cycle_time_seconds"),),
    sql=f"""
{_TIMED_STORIES}
select
    story_id,
    story_name,
    story_type,
    accepted_date,
    cycle_time_seconds,
    cycle_days,
    quantile_disc(cycle_days, 0.5) over () as p50_days,
    quantile_disc(cycle_days, 0.85) over () as p85_days,
    quantile_disc(cycle_days, 0.95) over () as p95_days,
    url
from shown_stories
order by accepted_at desc
""",
    draw=_scatter,
    remark=f"Of more than {_MOST_POINTS:,} stories, every one above the 95 % line is drawn and a "
    "part of the others, evenly over time; the lines are of all, and all are in the table.",
    empty="No accepted story of this choice has a known cycle time. A CSV export has none: it "
    "gives days, and no changes of state.",
)


def _time_in_state(rows: pd.DataFrame) -> alt.Chart:
    states = ("started", "finished", "delivered", "rejected")
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            x=alt.X("accepted_month:T", title="Month of acceptance", timeUnit="yearmonth"),
            y=alt.Y("mean_days:Q", title="Days in the state, on average"),
            color=look.state_color(states=states),
            tooltip=[
                alt.Tooltip("accepted_month:T", title="Month", timeUnit="yearmonth"),
                alt.Tooltip("story_state:N", title="State"),
                alt.Tooltip("mean_days:Q", title="Days", format=".2f"),
                alt.Tooltip("story_count:Q", title="Accepted stories"),
            ],
        )
    )


TIME_IN_STATE = Picture(
    name="time_in_state",
    question="Where do stories wait?",
    measures=tuple(
        ("fct_story_cycle_time", f"{state}_seconds")
        for state in ("started", "finished", "delivered", "rejected")
    ),
    sql=f"""
{_TIMED_STORIES},
by_month as (
    select
        cast(date_trunc('month', accepted_date) as date) as accepted_month,
        count(*) as story_count,
        avg(started_seconds) / 86400 as started,
        avg(finished_seconds) / 86400 as finished,
        avg(delivered_seconds) / 86400 as delivered,
        avg(rejected_seconds) / 86400 as rejected
    from shown_stories
    group by accepted_month
)
select accepted_month, story_state, mean_days, story_count
from (
    unpivot by_month on started, finished, delivered, rejected
    into name story_state value mean_days
)
order by accepted_month, story_state
""",
    draw=_time_in_state,
)


def _distribution(rows: pd.DataFrame) -> alt.Chart:
    return (
        alt.Chart(rows)
        .mark_bar(color=look.BLUE, binSpacing=1)
        .encode(
            x=alt.X("from_days:Q", title="Cycle time (days); the last bar holds all longer ones"),
            x2="to_days:Q",
            y=alt.Y("story_count:Q", title="Accepted stories"),
            y2=alt.datum(0),
            tooltip=[
                alt.Tooltip("from_days:Q", title="From (days)"),
                alt.Tooltip("longest_days:Q", title="the longest (days)", format=".2f"),
                alt.Tooltip("story_count:Q", title="Accepted stories"),
            ],
        )
    )


DISTRIBUTION = Picture(
    name="distribution",
    question="How are cycle times spread?",
    measures=(("fct_story_cycle_time", "cycle_time_seconds"),),
    sql=f"""
{_TIMED_STORIES},
bars as (
    select
        greatest(0.25, ceil(quantile_cont(cycle_days, 0.95) / 20 * 4) / 4) as bar_days,
        21 as bar_count
    from shown_stories
)
select
    least(floor(cycle_days / bar_days), bar_count) * bar_days as from_days,
    (least(floor(cycle_days / bar_days), bar_count) + 1) * bar_days as to_days,
    max(cycle_days) as longest_days,
    count(*) as story_count
from shown_stories
cross join bars
group by from_days, to_days
order by from_days
""",
    draw=_distribution,
)

PERCENTILES = Picture(
    name="percentiles",
    question="What can we promise?",
    measures=(("fct_cycle_time_percentile", "p85_seconds"),),
    sql="""
select
    story_type,
    time_window,
    story_count,
    round(p50_seconds / 86400, 1) as p50_days,
    round(p70_seconds / 86400, 1) as p70_days,
    round(p85_seconds / 86400, 1) as p85_days,
    round(p95_seconds / 86400, 1) as p95_days
from fct_cycle_time_percentile
where
    project_id = $project_id
    and (story_type = 'all' or story_type in (select unnest($story_types)))
order by story_type, window_days nulls first
""",
    draw=None,
)

PAGE = Page("cycle-time", "Cycle time", (SCATTER, TIME_IN_STATE, DISTRIBUTION, PERCENTILES))
