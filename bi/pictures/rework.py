"""Rework: what comes back from acceptance, who sends it back, and how long mending takes."""

import altair as alt
import pandas as pd

from bi.pictures import look
from bi.pictures.picture import CHOSEN_STORIES, Page, Picture


def _rate(rows: pd.DataFrame) -> alt.Chart:
    return (
        alt.Chart(rows)
        .mark_bar(color=look.RED)
        .encode(
            x=look.iteration_axis(),
            y=alt.Y("rejection_rate:Q", title="Rejection rate", axis=alt.Axis(format=".0%")),
            tooltip=[
                alt.Tooltip("iteration_number:O", title="Iteration"),
                alt.Tooltip("rejection_rate:Q", title="Rejection rate", format=".0%"),
                alt.Tooltip("rejected_story_count:Q", title="Ever rejected"),
                alt.Tooltip("rejectable_story_count:Q", title="Accepted features and bugs"),
            ],
        )
    )


REJECTION_RATE = Picture(
    name="rejection_rate",
    question="How much comes back from acceptance?",
    measures=(("fct_iteration_velocity", "rejection_rate"),),
    sql="""
select
    fct_iteration_velocity.iteration_number,
    rejection_rate,
    rejected_story_count,
    accepted_feature_count + accepted_bug_count as rejectable_story_count
from fct_iteration_velocity
inner join dim_iteration using (iteration_key)
where
    fct_iteration_velocity.project_id = $project_id
    and start_date between $first_date and $last_date
    and rejection_rate is not null
order by fct_iteration_velocity.iteration_number
""",
    draw=_rate,
)

_REJECTIONS = f"""
with {CHOSEN_STORIES},
rejections as (
    select fct_rejection.*, chosen_stories.story_name, chosen_stories.url
    from fct_rejection
    inner join chosen_stories using (story_id)
    where rejected_date between $first_date and $last_date
)
"""


def _waits(rows: pd.DataFrame) -> alt.Chart:
    return (
        alt.Chart(rows)
        .mark_bar(color=look.ORANGE)
        .encode(
            x=alt.X("median_days:Q", title="Days (median)"),
            y=alt.Y("wait:N", title=None, sort=None, axis=alt.Axis(labelLimit=220)),
            tooltip=[
                alt.Tooltip("wait:N", title="Wait"),
                alt.Tooltip("median_days:Q", title="Days (median)", format=".2f"),
                alt.Tooltip("rejection_count:Q", title="Rejections with this step"),
            ],
        )
    )


WAITS = Picture(
    name="rework_waits",
    question="How long does it take to get a rejected story back?",
    measures=(
        ("fct_rejection", "delivered_to_rejected_seconds"),
        ("fct_rejection", "rejected_to_restarted_seconds"),
        ("fct_rejection", "restarted_to_redelivered_seconds"),
    ),
    sql=f"""
{_REJECTIONS},
waits as (
    select 1 as place, 'delivered to rejected' as wait, delivered_to_rejected_seconds as seconds
    from rejections
    union all
    select 2, 'rejected to restarted', rejected_to_restarted_seconds from rejections
    union all
    select 3, 'restarted to delivered again', restarted_to_redelivered_seconds from rejections
)
select
    wait,
    median(seconds) / 86400 as median_days,
    count(seconds) as rejection_count
from waits
where seconds is not null
group by place, wait
order by place
""",
    draw=_waits,
    empty="Nothing was rejected.",
)


def _outcomes(rows: pd.DataFrame) -> alt.Chart:
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            x=alt.X("rejection_count:Q", title="Rejections"),
            y=alt.Y("outcome:N", title=None, sort="-x"),
            color=look.type_color(),
            tooltip=[
                alt.Tooltip("outcome:N", title="Outcome"),
                alt.Tooltip("story_type:N", title="Story type"),
                alt.Tooltip("rejection_count:Q", title="Rejections"),
            ],
        )
    )


OUTCOMES = Picture(
    name="rejection_outcomes",
    question="What becomes of a rejected story?",
    measures=(("fct_rejection", "outcome"),),
    sql=f"""
{_REJECTIONS}
select outcome, story_type, count(*) as rejection_count
from rejections
group by outcome, story_type
order by outcome, story_type
""",
    draw=_outcomes,
    empty="Nothing was rejected.",
)

REJECTIONS = Picture(
    name="rejections",
    question="Which stories came back most often?",
    measures=(("fct_rejection", "rejection_number"),),
    sql=f"""
{_REJECTIONS}
select
    story_name,
    count(*) as rejection_count,
    max(rejected_date) as last_rejected_date,
    arg_max(outcome, rejected_at) as last_outcome,
    url
from rejections
group by story_name, url
order by rejection_count desc, last_rejected_date desc
limit 50
""",
    draw=None,
    empty="Nothing was rejected.",
)

PAGE = Page("rework", "Rework", (REJECTION_RATE, WAITS, OUTCOMES, REJECTIONS))
