"""Flow: what comes in and goes out, what is in each state day by day, and how old it gets."""

from bi import words
from bi.pictures import look
from bi.pictures.picture import Page, Picture, Row, Spec

_MOST_DAYS = 200  # more would lie closer than two pixels, and take a browser longer to draw


def _fewer_days(rows: list[Row]) -> list[Row]:
    """Of a long time every second day, or third, ..., and always the last; each as it was."""
    last = max(row["flow_date"] for row in rows)
    first = min(row["flow_date"] for row in rows)
    step = (last - first).days // _MOST_DAYS + 1
    return [row for row in rows if (last - row["flow_date"]).days % step == 0]


def _cumulative(rows: list[Row], facts: Row) -> Spec:
    return look.spec(
        _fewer_days(rows),
        look.layer(
            "area",
            x=look.days_axis(rows, "flow_date"),
            y=look.quantity("drawn_count", "Stories at the end of the day", stack="zero"),
            color=look.state_color(
                [each for each in look.STATE_COLORS if each in {row["story_state"] for row in rows}]
            ),
            order={"field": "state_rank", "type": "quantitative"},
            tooltip=look.tips("flow_date", "story_state", "story_count", "points"),
        ),
    )


def _say_cumulative(rows: list[Row], facts: Row) -> str:
    def waiting(day: object) -> int:
        return sum(
            row["story_count"]
            for row in rows
            if row["flow_date"] == day and row["story_state"] != "accepted"
        )

    first, last = rows[0]["flow_date"], rows[-1]["flow_date"]
    before, now = waiting(first), waiting(last)
    accepted = rows[-1]["accepted_since"]
    return (
        f"{words.count(accepted, 'story')} accepted since {words.day(first)}; "
        f"{words.count(now, 'story')} not accepted yet, "
        f"{words.rise(now, before, f'{before:,}')}."
    )


def _state_ranks() -> str:
    cases = " ".join(f"when '{state}' then {rank}" for rank, state in enumerate(look.STATE_COLORS))
    return f"case story_state {cases} end"


CUMULATIVE_FLOW = Picture(
    name="cumulative_flow",
    question="Does work flow, or does it pile up?",
    definition="Stories in each state at the end of each day. Accepted stories are counted from "
    "the first day shown on, so that the others can be seen. A band that grows is work that piles "
    "up in its state.",
    measures=(("fct_flow_daily", "story_count"), ("fct_flow_daily", "points")),
    sql=f"""
with days as (
    select
        flow_date,
        story_state,
        story_count,
        cast(points as double) as points,
        {_state_ranks()} as state_rank,
        first_value(story_count) over (partition by story_state order by flow_date)
            as first_count
    from fct_flow_daily
    where
        project_id = $project_id
        and flow_date between $first_date and $last_date
)
select
    flow_date,
    story_state,
    story_count,
    points,
    state_rank,
    case when story_state = 'accepted' then greatest(story_count - first_count, 0)
        else story_count end as drawn_count,
    max(case when story_state = 'accepted' then story_count - first_count end)
        over (partition by flow_date) as accepted_since
from days
order by flow_date, state_rank
""",
    draw=_cumulative,
    answer=_say_cumulative,
)


def _wip(rows: list[Row], facts: Row) -> Spec:
    return look.spec(
        rows,
        look.layer(
            "line",
            look.BLUE,
            mark_interpolate="step-after",
            x=look.days_axis(rows, "flow_date"),
            y=look.quantity("wip_story_count"),
            tooltip=look.tips("flow_date", "wip_story_count", "wip_points"),
        ),
    )


def _say_wip(rows: list[Row], facts: Row) -> str:
    most = max(rows, key=lambda row: row["wip_story_count"])
    return (
        f"{words.count(rows[-1]['wip_story_count'], 'story')} in progress on "
        f"{words.day(rows[-1]['flow_date'])}; the most were {most['wip_story_count']:,} on "
        f"{words.day(most['flow_date'])}."
    )


WIP = Picture(
    name="wip",
    question="How much do we have in progress at once?",
    definition="Stories that were started, finished, delivered or rejected at the end of each day.",
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
    answer=_say_wip,
)

_WEEKS = """
weeks as (
    select week_start_date, cast(sum(story_count) as bigint) as finished_count
    from fct_throughput
    where
        project_id = $project_id
        and is_complete
        and week_start_date between $first_date and $last_date
    group by week_start_date
)
"""


def _net_flow(rows: list[Row], facts: Row) -> Spec:
    colors = {"Started": look.ORANGE, "Accepted": look.GREEN}
    x = look.days_axis(rows, "week_start_date")
    tooltip = look.tips("week_start_date", "arrived_count", "finished_count", "net_count")
    lines = [
        look.layer(
            "line",
            mark_point=True,
            series=(name, colors),
            x=x,
            y=look.quantity(column, "Stories per week"),
            tooltip=tooltip,
        )
        for name, column in (("Started", "arrived_count"), ("Accepted", "finished_count"))
    ]
    return look.spec(rows, *lines)


def _say_net_flow(rows: list[Row], facts: Row) -> str:
    arrived = sum(row["arrived_count"] for row in rows)
    finished = sum(row["finished_count"] for row in rows)
    verdict = (
        "more is started than finished, so work piles up"
        if arrived > finished * 1.05
        else "more is finished than started, so work in progress shrinks"
        if finished > arrived * 1.05
        else "what is started gets finished"
    )
    return (
        f"In {words.count(len(rows), 'week')}, work began on {words.count(arrived, 'story')} and "
        f"{finished:,} were accepted: {verdict}."
    )


NET_FLOW = Picture(
    name="net_flow",
    question="Do we start more than we finish?",
    definition="Stories on which work began for the first time (arrivals), and stories accepted "
    "(departures), in each complete week. A story that was accepted without a start counts as a "
    "departure alone.",
    measures=(
        ("fct_story_state_interval", "entered_at"),
        ("fct_throughput", "story_count"),
    ),
    sql=f"""
with {_WEEKS},
first_starts as (
    select
        fct_story_state_interval.story_id,
        min(fct_story_state_interval.entered_at) as started_at
    from fct_story_state_interval
    inner join dim_story on fct_story_state_interval.story_id = dim_story.story_id
    where
        fct_story_state_interval.project_id = $project_id
        and fct_story_state_interval.is_in_progress
        and not fct_story_state_interval.is_inferred
        and dim_story.story_type != 'release'
    group by fct_story_state_interval.story_id
),
start_days as (
    select
        cast(
            timezone(coalesce(time_zone, 'UTC'), first_starts.started_at) as date
        ) as started_date
    from first_starts
    cross join dim_project
    where dim_project.project_id = $project_id
)
select
    weeks.week_start_date,
    count(start_days.started_date) as arrived_count,
    any_value(weeks.finished_count) as finished_count,
    count(start_days.started_date) - any_value(weeks.finished_count) as net_count
from weeks
left join start_days
    on
        start_days.started_date >= weeks.week_start_date
        and start_days.started_date < weeks.week_start_date + 7
-- Without any known start there is nothing to compare.
where exists (select 1 from first_starts)
group by weeks.week_start_date
order by weeks.week_start_date
""",
    draw=_net_flow,
    answer=_say_net_flow,
    empty="No week in this period is complete, or it is unknown when work started. Choose a longer "
    "period, or load the project's activities.",
)


def _limits(rows: list[Row], facts: Row) -> Spec:
    x = look.days_axis(rows, "week_start_date")
    y = look.quantity("finished_count", "Accepted stories a week")
    colors = {"as usual": look.BLUE, "unusual": look.RED}
    points = look.layer(
        "line",
        look.BLUE,
        x=x,
        y=y,
    )
    marks = look.layer(
        "circle",
        mark_size=60,
        mark_opacity=1,
        x=x,
        y=y,
        color=look.category("signal", "Week", scale=look.scale(colors)),
        tooltip=look.tips("week_start_date", "finished_count", "signal"),
    )
    levels = [
        {"finished_count": facts[column], "said": f"{name} {facts[column]:.1f}"}
        for name, column in (
            ("upper limit", "upper_limit"),
            ("mean", "mean_count"),
            ("lower limit", "lower_limit"),
        )
    ]
    rules = look.spec(levels, look.layer("rule", look.GREY, mark_strokeDash=[5, 4], y=y))
    said = look.spec(
        levels,
        look.layer(
            "text",
            mark_align="right",
            mark_dx=-4,
            mark_dy=-6,
            mark_fontWeight="bold",
            x={"value": "width"},
            y=y,
            text={"field": "said"},
        ),
    )
    drawn = [
        row
        | {
            "signal": "as usual"
            if facts["lower_limit"] <= row["finished_count"] <= facts["upper_limit"]
            else "unusual"
        }
        for row in rows
    ]
    return look.spec(drawn, points, marks, rules, said)


def _say_limits(rows: list[Row], facts: Row) -> str:
    odd = [
        row
        for row in rows
        if not facts["lower_limit"] <= row["finished_count"] <= facts["upper_limit"]
    ]
    said = (
        f"A normal week brings {facts['lower_limit']:.0f} to {facts['upper_limit']:.0f} accepted "
        f"stories, {facts['mean_count']:.1f} on average"
    )
    if not odd:
        return f"{said}; no week was outside, so a difference between weeks means nothing."
    last = odd[-1]
    return (
        f"{said}; {words.count(len(odd), 'week')} outside, the latest that of "
        f"{words.day(last['week_start_date'])} with {last['finished_count']:,}: ask what happened."
    )


LIMITS = Picture(
    name="throughput_limits",
    question="Is this week unusual, or is it just noise?",
    definition="An XmR chart of the stories accepted in each complete week. The natural limits are "
    "the mean plus and minus 2.66 times the average difference between one week and the next, not "
    "below 0. A week between them is routine variation; one outside has a cause worth finding.",
    measures=(("fct_throughput", "story_count"),),
    sql=f"""
with {_WEEKS}
select week_start_date, finished_count
from weeks
where (select count(*) from weeks) >= 6
order by week_start_date
""",
    facts_sql=f"""
with {_WEEKS},
moves as (
    select
        finished_count,
        abs(finished_count - lag(finished_count) over (order by week_start_date)) as move
    from weeks
)
select
    avg(finished_count) as mean_count,
    avg(finished_count) + 2.66 * avg(move) as upper_limit,
    greatest(0, avg(finished_count) - 2.66 * avg(move)) as lower_limit
from moves
""",
    draw=_limits,
    answer=_say_limits,
    empty="It takes six complete weeks. Choose longer dates.",
)


def _total_age(rows: list[Row], facts: Row) -> Spec:
    return look.spec(
        rows,
        look.layer(
            "area",
            look.SKY,
            mark_line={"color": look.BLUE},
            mark_opacity=0.6,
            x=look.days_axis(rows, "flow_date"),
            y=look.quantity("total_age_days", "Total age (days)"),
            tooltip=look.tips("flow_date", "total_age_days", "wip_story_count"),
        ),
    )


def _say_total_age(rows: list[Row], facts: Row) -> str:
    first, last = rows[0]["total_age_days"], rows[-1]["total_age_days"]
    change = words.rise(round(last), round(first), words.days(first))
    return (
        f"The work in progress is {words.days(last)} old in total on "
        f"{words.day(rows[-1]['flow_date'])}, {change} on {words.day(rows[0]['flow_date'])}."
    )


TOTAL_AGE = Picture(
    name="total_age",
    question="Is our work in progress getting older?",
    definition="The ages of all stories in progress at the end of each day, added up; an age "
    "is the time that a story has been in progress, pauses left out. The total grows each day by "
    "the number of stories in progress and falls when an old one is accepted. A story counts in "
    "the project where it is now.",
    measures=(
        ("fct_story_state_interval", "entered_at"),
        ("fct_story_state_interval", "left_at"),
    ),
    sql="""
with zone as (
    select coalesce(time_zone, 'UTC') as time_zone, as_of
    from dim_project
    where project_id = $project_id
),
days as (
    select distinct
        flow_date,
        least(timezone(zone.time_zone, cast(flow_date + 1 as timestamp)), zone.as_of) as ends_at
    from fct_flow_daily
    cross join zone
    where project_id = $project_id and flow_date between $first_date and $last_date
),
intervals as (
    select
        fct_story_state_interval.story_id,
        entered_at,
        left_at,
        fct_story_state_interval.is_inferred,
        -- An inferred interval counts as in progress, and adds no age.
        coalesce(
            sum(case when not fct_story_state_interval.is_inferred then interval_seconds end) over (
                partition by fct_story_state_interval.story_id
                order by interval_number
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as earlier_seconds
    from fct_story_state_interval
    inner join dim_story on fct_story_state_interval.story_id = dim_story.story_id
    where
        fct_story_state_interval.project_id = $project_id
        and fct_story_state_interval.is_in_progress
        and dim_story.story_type != 'release'
)
select
    days.flow_date,
    round(sum(
        intervals.earlier_seconds + case
            when intervals.is_inferred then 0
            else epoch(days.ends_at) - epoch(intervals.entered_at)
        end
    ) / 86400, 2) as total_age_days,
    count(*) as wip_story_count
from days
inner join intervals
    on
        intervals.entered_at < days.ends_at
        and (intervals.left_at >= days.ends_at or intervals.left_at is null)
group by days.flow_date
order by days.flow_date
""",
    draw=_total_age,
    answer=_say_total_age,
    empty="Nothing was in progress in this period, or it is unknown. Load the project's activities "
    "to see it.",
)

PAGE = Page("flow", "Flow", (CUMULATIVE_FLOW, WIP, NET_FLOW, LIMITS, TOTAL_AGE))
