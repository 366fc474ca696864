"""Rework: rejections, their outcomes, and how long the rework takes."""

from bi import words
from bi.pictures import look
from bi.pictures.picture import (
    CHOSEN_AND_DELETED_STORIES,
    CHOSEN_STORIES,
    ENOUGH,
    Page,
    Picture,
    Row,
    Spec,
    percentile,
)


def _rate(rows: list[Row], facts: Row) -> Spec:
    return look.spec(
        rows,
        look.layer(
            "bar",
            look.RED,
            x=look.iteration_axis(),
            y=look.quantity("rejection_rate", "Rejected at least once"),
            tooltip=look.tips(
                "iteration_number", "rejection_rate", "rejected_story_count", "compared_count"
            ),
        ),
    )


def _rate_answer(rows: list[Row], facts: Row) -> str:
    rejected = sum(row["rejected_story_count"] for row in rows)
    total = sum(row["compared_count"] for row in rows)
    half = len(rows) // 2
    text = (
        f"{words.share(rejected / total)} of {words.count(total, 'accepted story')} (features and "
        "bugs) had been rejected at least once"
    )
    if not half:
        return text + "."
    parts = [
        sum(row["rejected_story_count"] for row in part)
        / sum(row["compared_count"] for row in part)
        for part in (rows[:half], rows[half:])
    ]
    return (
        f"{text}: {words.share(parts[0])} in the first half of these iterations, "
        f"{words.share(parts[1])} in the second."
    )


REJECTION_RATE = Picture(
    name="rejection_rate",
    question="How much is rejected?",
    definition="Of the features and bugs accepted in each iteration, the share that had been "
    "rejected at least once before.",
    measures=(("fct_iteration_velocity", "rejection_rate"),),
    sql=f"""
with {CHOSEN_STORIES}
select
    dim_iteration.iteration_number,
    count(*) filter (where fct_story_cycle_time.rejected_count > 0) / count(*) as rejection_rate,
    count(*) filter (where fct_story_cycle_time.rejected_count > 0) as rejected_story_count,
    count(*) as compared_count
from fct_story_cycle_time
inner join chosen_stories using (story_id)
inner join dim_iteration using (iteration_key)
where
    fct_story_cycle_time.story_type in ('feature', 'bug')
    and fct_story_cycle_time.rejected_count is not null
    and dim_iteration.start_date between $first_date and $last_date
group by dim_iteration.iteration_number
order by dim_iteration.iteration_number
""",
    draw=_rate,
    answer=_rate_answer,
    empty="No matching feature or bug was accepted in these iterations, or rejections are unknown "
    "because no history of the project was loaded.",
)

_REJECTIONS = f"""
with {CHOSEN_STORIES},
rejections as (
    select fct_rejection.*, chosen_stories.story_name
    from fct_rejection
    inner join chosen_stories using (story_id)
    where rejected_date between $first_date and $last_date
)
"""
_NOTHING = (
    "No matching story was rejected in this period, or rejections are unknown because no history "
    "of the project was loaded."
)


def _waits(rows: list[Row], facts: Row) -> Spec:
    return look.spec(
        rows,
        look.layer(
            "bar",
            look.ORANGE,
            mark_height=22,
            x=look.quantity("median_days", "Median (days)"),
            y=look.category("wait", title=None, sort=None),
            tooltip=look.tips("wait", "median_days", "rejection_count"),
        ),
        height=look.bars_height(rows, "wait"),
    )


def _waits_answer(rows: list[Row], facts: Row) -> str:
    known = [row for row in rows if row["median_days"] is not None]
    if not known:
        return f"Too few rejections: a median requires {ENOUGH}."
    longest = max(known, key=lambda row: row["median_days"])
    return (
        f"The longest wait is from {longest['wait']}: half of "
        f"{words.count(longest['rejection_count'], 'rejection')} waited at most "
        f"{words.days(longest['median_days'])}."
    )


WAITS = Picture(
    name="rework_waits",
    question="How long does it take to get a rejected story back?",
    definition="The median time of each step of a rejection, for rejections that reached the step.",
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
    ({percentile("seconds", 0.5)}) / 86400 as median_days,
    count(seconds) as rejection_count
from waits
where seconds is not null
group by place, wait
order by place
""",
    draw=_waits,
    answer=_waits_answer,
    empty=_NOTHING,
)

_OUTCOMES = {
    "accepted": "accepted after all",
    "rejected_again": "rejected again",
    "open": "still open",
    "deleted": "deleted",
}


def _outcomes(rows: list[Row], facts: Row) -> Spec:
    return look.spec(
        [row | {"outcome": _OUTCOMES.get(row["outcome"], row["outcome"])} for row in rows],
        look.layer(
            "bar",
            mark_height=22,
            x=look.quantity("rejection_count", "Rejections"),
            y=look.category("outcome", title=None, sort="-x"),
            color=look.type_color(),
            tooltip=look.tips("outcome", "story_type", "rejection_count"),
        ),
        height=look.bars_height(rows, "outcome"),
    )


def _outcomes_answer(rows: list[Row], facts: Row) -> str:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["outcome"]] = counts.get(row["outcome"], 0) + row["rejection_count"]
    parts = [
        f"{counts[outcome]:,} {text}" for outcome, text in _OUTCOMES.items() if outcome in counts
    ]
    return f"Of {words.count(sum(counts.values()), 'rejection')}: {', '.join(parts)}."


OUTCOMES = Picture(
    name="rejection_outcomes",
    question="What happens to rejected stories?",
    definition="The outcome of each rejection.",
    measures=(("fct_rejection", "outcome"),),
    sql=f"""
{_REJECTIONS}
select outcome, story_type, count(*) as rejection_count
from rejections
group by outcome, story_type
order by outcome, story_type
""",
    draw=_outcomes,
    answer=_outcomes_answer,
    empty=_NOTHING,
)

REJECTIONS = Picture(
    name="rejections",
    question="Which stories were rejected most often?",
    definition="Stories rejected in this period, those with the most rejections first.",
    measures=(("fct_rejection", "rejection_number"),),
    sql=f"""
{_REJECTIONS}
select
    story_id,
    story_name,
    story_type,
    count(*) as rejection_count,
    max(rejected_date) as last_rejected_date,
    replace(arg_max(outcome, rejected_at), '_', ' ') as last_outcome
from rejections
group by story_id, story_name, story_type
order by rejection_count desc, last_rejected_date desc, story_id
limit 50
""",
    answer=lambda rows, facts: (
        f"“{rows[0]['story_name']}” was rejected {words.count(rows[0]['rejection_count'], 'time')}."
    ),
    empty=_NOTHING,
)

WITHDRAWN = Picture(
    name="withdrawn",
    question="What did we start and then withdraw?",
    definition="Stories on which work had begun and that are now back in the backlog or icebox, or "
    "were deleted before acceptance, with their time in progress. The period applies to the day "
    "on which work began.",
    measures=(
        ("fct_story_cycle_time", "is_withdrawn"),
        ("fct_story_cycle_time", "first_in_progress_at"),
        ("fct_story_cycle_time", "cycle_time_seconds"),
    ),
    sql=f"""
with {CHOSEN_AND_DELETED_STORIES}
select
    chosen_stories.story_id,
    chosen_stories.story_name,
    chosen_stories.story_type,
    case when chosen_stories.is_deleted then 'deleted' else chosen_stories.current_state end
        as story_state,
    cast(timezone(coalesce(time_zone, 'UTC'), first_in_progress_at) as date)
        as first_started_date,
    round(cycle_time_seconds / 86400, 1) as spent_days,
    chosen_stories.owner_names
from fct_story_cycle_time
inner join chosen_stories using (story_id)
inner join dim_project on fct_story_cycle_time.project_id = dim_project.project_id
where
    fct_story_cycle_time.is_withdrawn
    and first_started_date between $first_date and $last_date
order by spent_days desc, story_id
""",
    answer=lambda rows, facts: (
        f"{words.count(len(rows), 'story')} started and withdrawn, after "
        f"{words.days(sum(row['spent_days'] for row in rows))} in progress in total."
    ),
    empty="No matching story was started in this period and then withdrawn, or it is unknown "
    "because no history of the project was loaded.",
)

PAGE = Page("rework", "Rework", (REJECTION_RATE, WAITS, OUTCOMES, REJECTIONS, WITHDRAWN))
