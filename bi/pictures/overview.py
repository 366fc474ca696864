"""Overview: the current status of a project."""

from bi import words
from bi.pictures import look
from bi.pictures.picture import CHOSEN_STORIES, ENOUGH, Page, Picture, Row, Spec, percentile

_WORKED_STATES = ("started", "finished", "delivered", "rejected")


def _aging(rows: list[Row], facts: Row) -> Spec:
    state = look.category(
        "current_state",
        sort=list(_WORKED_STATES),
        scale={"domain": list(_WORKED_STATES)},
        axis={"labelAngle": 0},
    )
    levels = {"half had left": look.GREEN, "85 % had left": look.PINK}
    colors = look.RISK_COLORS | levels
    points = look.layer(
        "point",
        mark_filled=True,
        mark_size=80,
        mark_opacity=0.9,
        x=state,
        xOffset={"field": "place", "type": "quantitative"},
        y=look.quantity("age_days", "Age (days in progress)", scale={"type": "sqrt"}),
        color=look.category("risk", None, scale=look.scale(colors)),
        shape=look.category(
            "is_blocked",
            "Blocked",
            scale={"domain": [False, True], "range": ["circle", "triangle-up"]},
            legend={"labelExpr": "datum.value ? 'yes' : 'no'"},
        ),
        tooltip=look.tips(
            "story_name", "owner_names", "age_days", "older_than_share", "is_blocked"
        ),
    )
    lines = [
        look.layer(
            "tick",
            mark_thickness=3,
            mark_size=70,
            x=state,
            y={"aggregate": "max", "field": column, "type": "quantitative"},
            series=(name, colors),
            tooltip=[
                {
                    "aggregate": "max",
                    "field": column,
                    "type": "quantitative",
                    "title": f"Of finished stories, {name} after (days)",
                    "format": ".1f",
                }
            ],
        )
        for name, column in zip(levels, ("p50_days", "p85_days"), strict=True)
    ]
    return look.spec(rows, points, *lines)


def _aging_answer(rows: list[Row], facts: Row) -> str:
    oldest = rows[0]
    high = sum(row["risk"] == "high risk" for row in rows)
    verdict = (
        f"{high} of them older than 85 % of the finished stories ever were"
        if high
        else "none of them unusually old"
    )
    return (
        f"{words.count(len(rows), 'story')} in progress, {verdict}. The oldest, "
        f"“{oldest['story_name']}”, has been in progress for {words.days(oldest['age_days'])}."
    )


AGING = Picture(
    name="aging",
    question="What has been in progress for too long?",
    definition="Each point is a story in progress. Its age is its time in progress in days, "
    "without pauses. Risk compares the age with finished stories of the project: high means older "
    "than 85 % of them were at acceptance. The marks show the age at which half, and 85 %, of the "
    "finished stories had left each state.",
    measures=(
        ("fct_wip_aging", "age_seconds"),
        ("fct_wip_aging", "risk"),
        ("fct_wip_aging", "state_p85_age_seconds"),
    ),
    sql=f"""
with {CHOSEN_STORIES}
select
    fct_wip_aging.story_id,
    chosen_stories.story_name,
    chosen_stories.owner_names,
    fct_wip_aging.current_state,
    round(fct_wip_aging.age_seconds / 86400, 2) as age_days,
    round(fct_wip_aging.state_age_seconds / 86400, 2) as in_state_days,
    fct_wip_aging.age_percentile as older_than_share,
    coalesce(fct_wip_aging.risk || ' risk', 'risk unknown') as risk,
    fct_wip_aging.is_blocked,
    fct_wip_aging.state_p50_age_seconds / 86400 as p50_days,
    fct_wip_aging.state_p85_age_seconds / 86400 as p85_days,
    -- Side by side, so that stories of one age do not hide each other.
    row_number() over (partition by fct_wip_aging.current_state order by age_seconds) % 9 as place
from fct_wip_aging
inner join chosen_stories using (story_id)
where fct_wip_aging.age_seconds is not null
order by age_days desc nulls last, story_id
""",
    draw=_aging,
    answer=_aging_answer,
    empty="Nothing is in progress, or it is unknown since when. Load the project's activities to "
    "see it.",
)


def _in_progress_answer(rows: list[Row], facts: Row) -> str:
    text = f"{words.count(len(rows), 'story')} in progress"
    if blocked := sum(bool(row["is_blocked"]) for row in rows):
        text += f", of which {blocked:,} blocked"
    oldest = rows[0]["age_days"]
    if oldest is None:
        return f"{text}."
    return f"{text}. The oldest has been in progress for {words.days(oldest)}."


IN_PROGRESS = Picture(
    name="in_progress",
    question="What is in progress, and whose is it?",
    definition="Stories that are started, finished, delivered or rejected now, the oldest first. "
    "Age is the time in progress without pauses; the time in this state is since its latest entry.",
    measures=(("fct_wip_aging", "age_days"), ("fct_wip_aging", "state_age_seconds")),
    sql=f"""
with {CHOSEN_STORIES}
select
    chosen_stories.story_id,
    chosen_stories.story_name,
    chosen_stories.story_type,
    fct_wip_aging.current_state,
    chosen_stories.owner_names,
    cast(chosen_stories.estimate as double) as points,
    round(fct_wip_aging.age_seconds / 86400, 1) as age_days,
    round(fct_wip_aging.state_age_seconds / 86400, 1) as in_state_days,
    fct_wip_aging.is_blocked
from fct_wip_aging
inner join chosen_stories using (story_id)
order by age_days desc nulls last, story_id
""",
    answer=_in_progress_answer,
    empty="Nothing is in progress.",
)


def _throughput(rows: list[Row], facts: Row) -> Spec:
    return look.weekly_bars(
        rows,
        y=look.quantity("story_count", "Accepted stories"),
        color=look.type_color(),
        tooltip=look.tips("week_start_date", "story_type", "story_count", "points"),
    )


def _throughput_answer(rows: list[Row], facts: Row) -> str:
    if facts["recent"] is None:
        return f"Fewer than {ENOUGH} weeks are complete, too few to say how many stories are usual."
    text = (
        f"The median of the last {facts['weeks']} complete weeks is "
        f"{words.count(facts['recent'], 'accepted story')}"
    )
    if facts["before"] is None:
        return text + "."
    return f"{text}; in the 12 weeks before it was {facts['before']:.0f}."


_WEEKS = f"""
with {CHOSEN_STORIES},
weeks as (
    select distinct week_start_date, is_complete
    from fct_throughput
    where project_id = $project_id
),
accepted_stories as (
    select
        chosen_stories.story_type,
        chosen_stories.estimate,
        cast(date_trunc('week', chosen_stories.accepted_date) as date) as monday_date,
        chosen_stories.accepted_date
    from chosen_stories
    where chosen_stories.current_state = 'accepted'
),
by_week as (
    select
        weeks.week_start_date,
        weeks.is_complete,
        accepted_stories.story_type,
        accepted_stories.estimate
    from weeks
    left join accepted_stories
        on
            accepted_stories.accepted_date >= weeks.week_start_date
            and accepted_stories.accepted_date < weeks.week_start_date + 7
)
"""

THROUGHPUT = Picture(
    name="throughput",
    question="How much do we get done each week?",
    definition="Stories accepted in each of the last 26 weeks, by type, in the project's own weeks "
    "and time zone. The last week may be incomplete.",
    measures=(("fct_throughput", "story_count"), ("fct_throughput", "points")),
    sql=f"""
{_WEEKS}
select
    week_start_date,
    coalesce(story_type, 'feature') as story_type,
    count(story_type) as story_count,
    cast(coalesce(sum(estimate), 0) as double) as points
from by_week
where week_start_date > (select max(week_start_date) from weeks) - 26 * 7
group by week_start_date, 2
-- Without any accepted story there is nothing to draw.
qualify max(count(story_type)) over () > 0
order by week_start_date, story_type
""",
    facts_sql=f"""
{_WEEKS},
counts as (
    select
        week_start_date,
        count(story_type) as story_count,
        row_number() over (order by week_start_date desc) as recency
    from by_week
    where is_complete
    group by week_start_date
)
select
    {percentile("story_count", 0.5, "recency <= 12")} as recent,
    count(*) filter (where recency <= 12) as weeks,
    {percentile("story_count", 0.5, "recency between 13 and 24")} as before
from counts
""",
    draw=_throughput,
    answer=_throughput_answer,
    empty="No story was accepted in the last 26 weeks of the data, or none that matches the "
    "filters.",
)


def _states(rows: list[Row], facts: Row) -> Spec:
    return look.spec(
        rows,
        look.layer(
            "bar",
            x=look.quantity("story_count", "Stories"),
            y=look.category("story_state", title=None, sort=list(look.STATE_COLORS)),
            color=look.state_color() | {"legend": None},
            tooltip=look.tips("story_state", "story_count", "points"),
        ),
        look.layer(
            "text",
            mark_align="left",
            mark_dx=4,
            x=look.quantity("story_count", "Stories"),
            y=look.category("story_state", title=None, sort=list(look.STATE_COLORS)),
            text={"field": "story_count", "type": "quantitative", "format": ",d"},
        ),
        height=look.bars_height(rows, "story_state", 28),
    )


def _states_answer(rows: list[Row], facts: Row) -> str:
    counts = {row["story_state"]: row["story_count"] for row in rows}
    total = sum(counts.values())
    in_progress = sum(counts.get(state, 0) for state in _WORKED_STATES)
    queued = counts.get("unstarted", 0) + counts.get("planned", 0)
    return (
        f"{counts.get('accepted', 0):,} of {words.count(total, 'story')} accepted, "
        f"{in_progress:,} in progress, {queued:,} in the backlog, "
        f"{counts.get('unscheduled', 0):,} in the icebox."
    )


STATES = Picture(
    name="states",
    question="Where are our stories now?",
    definition="Stories by their current state, without deleted stories and releases.",
    measures=(("dim_story", "current_state"),),
    sql=f"""
with {CHOSEN_STORIES}
select
    current_state as story_state,
    count(*) as story_count,
    cast(sum(estimate) as double) as points
from chosen_stories
group by current_state
order by story_count desc
""",
    draw=_states,
    answer=_states_answer,
    empty="No story matches. Choose fewer filters.",
)

PAGE = Page("overview", "Overview", (AGING, THROUGHPUT, STATES, IN_PROGRESS))
