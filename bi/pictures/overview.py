"""Overview: how much gets done, and what is in progress."""

import altair as alt
import pandas as pd

from bi.pictures import look
from bi.pictures.picture import CHOSEN_STORIES, Page, Picture


def _throughput(rows: pd.DataFrame) -> alt.Chart:
    return (
        alt.Chart(rows)
        .mark_bar(size=alt.expr(f"max(1, width / {rows.week_start_date.nunique()} - 1)"))
        .encode(
            x=look.day_axis("week_start_date", "Week, by its first day"),
            y=alt.Y("story_count:Q", title="Accepted stories"),
            color=look.type_color(),
            tooltip=[
                alt.Tooltip("week_start_date:T", title="Week of"),
                alt.Tooltip("story_type:N", title="Story type"),
                alt.Tooltip("story_count:Q", title="Accepted stories"),
                alt.Tooltip("points:Q", title="Points"),
            ],
        )
    )


THROUGHPUT = Picture(
    name="throughput",
    question="How much do we get done each week?",
    measures=(("fct_throughput", "story_count"),),
    sql="""
select
    week_start_date,
    story_type,
    story_count,
    cast(points as double) as points
from fct_throughput
where
    project_id = $project_id
    and week_start_date between $first_date and $last_date
    and story_type in (select unnest($story_types))
order by week_start_date, story_type
""",
    draw=_throughput,
)


def _by_state(rows: pd.DataFrame) -> alt.Chart:
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            x=alt.X("story_count:Q", title="Stories"),
            y=alt.Y("story_state:N", title=None, sort=list(look.STATE_COLORS)),
            color=look.state_color().legend(None),
            tooltip=[
                alt.Tooltip("story_state:N", title="State"),
                alt.Tooltip("story_count:Q", title="Stories"),
                alt.Tooltip("points:Q", title="Points"),
            ],
        )
    )


STATES = Picture(
    name="states",
    question="Where are our stories now?",
    measures=(("dim_story", "current_state"),),
    sql=f"""
with {CHOSEN_STORIES}
select
    current_state as story_state,
    count(*) as story_count,
    cast(sum(estimate) as double) as points
from chosen_stories
where story_type != 'release'
group by current_state
order by story_count desc
""",
    draw=_by_state,
)

IN_PROGRESS = Picture(
    name="in_progress",
    question="What is in progress, and whose is it?",
    measures=(("fct_wip_aging", "age_days"), ("fct_wip_aging", "risk")),
    sql=f"""
with {CHOSEN_STORIES}
select
    chosen_stories.story_name,
    chosen_stories.owner_names,
    fct_wip_aging.current_state,
    fct_wip_aging.age_days,
    fct_wip_aging.risk,
    fct_wip_aging.is_blocked,
    chosen_stories.url
from fct_wip_aging
inner join chosen_stories using (story_id)
order by fct_wip_aging.age_days desc
""",
    draw=None,
    empty="Nothing is in progress.",
)

PAGE = Page("overview", "Overview", (THROUGHPUT, STATES, IN_PROGRESS))
