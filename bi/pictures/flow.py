"""Flow: arrivals and departures, stories per state and day, and the age of work in progress."""

from bi import words
from bi.pictures import look
from bi.pictures.picture import Page, Picture, Row, Spec

_MAX_DAYS = 200  # more would be less than two pixels apart, and take the browser longer to draw


def _sampled_days(rows: list[Row]) -> list[Row]:
    """If there are many days, every second (third, ...) one, counted back from the last."""
    last = max(row["flow_date"] for row in rows)
    first = min(row["flow_date"] for row in rows)
    step = (last - first).days // _MAX_DAYS + 1
    return [row for row in rows if (last - row["flow_date"]).days % step == 0]


def _cumulative(rows: list[Row], facts: Row) -> Spec:
    states = {row["story_state"] for row in rows}
    return look.spec(
        _sampled_days(rows),
        look.layer(
            "area",
            x=look.days_axis(rows, "flow_date"),
            y=look.quantity("drawn_count", "Stories at the end of the day", stack="zero"),
            color=look.state_color([state for state in look.STATE_COLORS if state in states]),
            order={"field": "state_rank", "type": "quantitative"},
            tooltip=look.tips("flow_date", "story_state", "story_count", "points"),
        ),
    )


def _cumulative_answer(rows: list[Row], facts: Row) -> str:
    def open_count(day: object) -> int:
        return sum(
            row["story_count"]
            for row in rows
            if row["flow_date"] == day and row["story_state"] != "accepted"
        )

    first, last = rows[0]["flow_date"], rows[-1]["flow_date"]
    before, now = open_count(first), open_count(last)
    accepted = rows[-1]["accepted_since"]
    return (
        f"{words.count(accepted, 'story')} accepted since {words.day(first)}; "
        f"{words.count(now, 'story')} not accepted yet, "
        f"{words.change(now, before, f'{before:,}')}."
    )


def _state_ranks() -> str:
    cases = " ".join(f"when '{state}' then {rank}" for rank, state in enumerate(look.STATE_COLORS))
    return f"case story_state {cases} end"


CUMULATIVE_FLOW = Picture(
    name="cumulative_flow",
    question="Does work flow, or does it pile up?",
    definition="Stories in each state at the end of each day. Only stories accepted after the "
    "first day are counted as accepted, so that the other states stay visible. A band that widens "
    "means that work piles up in its state.",
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
    answer=_cumulative_answer,
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


def _wip_answer(rows: list[Row], facts: Row) -> str:
    most = max(rows, key=lambda row: row["wip_story_count"])
    if not most["wip_story_count"]:
        return "Nothing was in progress at the end of these days."
    return (
        f"{words.count(rows[-1]['wip_story_count'], 'story')} in progress on "
        f"{words.day(rows[-1]['flow_date'])}; the maximum was {most['wip_story_count']:,} on "
        f"{words.day(most['flow_date'])}."
    )


WIP = Picture(
    name="wip",
    question="How much do we have in progress at once?",
    definition="Stories that were started, finished, delivered or rejected at the end of each day. "
    "Stories whose state on a day is unknown are not counted on it; a day on which nothing is "
    "known to be in progress is then left out.",
    measures=(("fct_flow_daily", "story_count"),),
    sql="""
select
    flow_date,
    cast(coalesce(sum(story_count) filter (where is_in_progress), 0) as bigint) as wip_story_count,
    cast(coalesce(sum(points) filter (where is_in_progress), 0) as double) as wip_points
from fct_flow_daily
where
    project_id = $project_id
    and flow_date between $first_date and $last_date
group by flow_date
having
    wip_story_count > 0
    or coalesce(sum(story_count) filter (where story_state = 'unknown'), 0) = 0
order by flow_date
""",
    draw=_wip,
    answer=_wip_answer,
    empty="It is unknown what was in progress in this period. Load the project's activities, or "
    "choose another period.",
)


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


def _net_flow_answer(rows: list[Row], facts: Row) -> str:
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
    "departure only.",
    measures=(
        ("fct_throughput", "started_story_count"),
        ("fct_throughput", "story_count"),
        ("fct_throughput", "net_flow_count"),
    ),
    sql="""
select
    week_start_date,
    cast(sum(started_story_count) as bigint) as arrived_count,
    cast(sum(story_count) as bigint) as finished_count,
    cast(sum(net_flow_count) as bigint) as net_count
from fct_throughput
where
    project_id = $project_id
    and is_complete
    and started_story_count is not null
    and week_start_date between $first_date and $last_date
group by week_start_date
order by week_start_date
""",
    draw=_net_flow,
    answer=_net_flow_answer,
    empty="No week in this period is complete, or it is unknown when work started. Choose a longer "
    "period, or load the project's activities.",
)


def _limits(rows: list[Row], column: str, title: str) -> Spec:
    x = look.days_axis(rows, "week_start_date")
    y = look.quantity(column, title)  # one axis for all layers
    colors = {"as usual": look.BLUE, "unusual": look.RED}
    levels = [
        look.layer(
            "line",
            look.GREY,
            mark_strokeDash=dash,
            mark_interpolate="step-after",
            x=x,
            y=y | {"field": level},
        )
        for level, dash in (("upper_limit", [5, 4]), ("mean", [1, 0]), ("lower_limit", [5, 4]))
    ]
    line = look.layer("line", look.BLUE, x=x, y=y)
    marks = look.layer(
        "circle",
        mark_size=60,
        mark_opacity=1,
        x=x,
        y=y,
        color=look.category("signal", "Week", scale=look.scale(colors)),
        tooltip=look.tips(
            "week_start_date", column, "signal", "lower_limit", "mean", "upper_limit"
        ),
    )
    return look.spec(rows, *levels, line, marks)


def _limits_answer(rows: list[Row], column: str, unit: str) -> str:
    last = rows[-1]
    if last["upper_limit"] is None:
        return "There are no limits yet: they require eight earlier weeks."
    text = (
        f"A normal week has {last['lower_limit']:,.10g} to {last['upper_limit']:,.10g} {unit}, "
        f"{last['mean']:,.1f} on average"
    )
    unusual = [row for row in rows if row["signal"] == "unusual"]
    if not unusual:
        return f"{text}; no week was outside its limits: the differences are routine variation."
    return (
        f"{text}; {words.count(len(unusual), 'week')} outside the limits of their time, most "
        f"recently the week of {words.day(unusual[-1]['week_start_date'])} with "
        f"{unusual[-1][column]:,.4g}: find out what happened."
    )


def _limits_picture(
    name: str, measure: str, question: str, what: str, column: str, title: str, unit: str
) -> Picture:
    """An XmR chart of a weekly measure, whose values are named `column` in the table."""
    value = "measured_value / 86400" if measure == "cycle_time" else "measured_value"
    in_unit = "/ 86400" if measure == "cycle_time" else ""
    return Picture(
        name=name,
        question=question,
        definition=f"An XmR chart of {what}, complete weeks only. The natural process limits of a "
        "week are the mean of up to 26 weeks before it, plus and minus 2.66 times the average "
        "difference between consecutive weeks, not below 0; they require eight weeks. A week "
        "within the limits is routine variation; a week outside has a cause worth finding.",
        measures=(
            ("fct_process_limit", "measured_value"),
            ("fct_process_limit", "lower_limit"),
            ("fct_process_limit", "upper_limit"),
        ),
        sql=f"""
select
    week_start_date,
    {value} as {column},
    case when limit_signal in ('above', 'below') then 'unusual' else 'as usual' end as signal,
    round(lower_limit {in_unit}, 1) as lower_limit,
    round(baseline_mean {in_unit}, 1) as mean,
    round(upper_limit {in_unit}, 1) as upper_limit
from fct_process_limit
where
    project_id = $project_id
    and measure = '{measure}'
    and week_start_date between $first_date and $last_date
order by week_start_date
""",
        draw=lambda rows, facts: _limits(rows, column, title),
        answer=lambda rows, facts: _limits_answer(rows, column, unit),
        empty="No week in this period is complete, or the loaded data does not contain this "
        "measure. Choose a longer period, or load the project's activities.",
    )


THROUGHPUT_LIMITS = _limits_picture(
    "throughput_limits",
    "throughput",
    "Did we get an unusual amount of work done?",
    "the stories accepted in each week",
    "finished_count",
    "Accepted stories per week",
    "accepted stories",
)
WIP_LIMITS = _limits_picture(
    "wip_limits",
    "work_in_progress",
    "Is an unusual amount of work in progress?",
    "the stories in progress at the end of each week",
    "wip_story_count",
    "Stories in progress",
    "stories in progress at its end",
)
CYCLE_TIME_LIMITS = _limits_picture(
    "cycle_time_limits",
    "cycle_time",
    "Did stories take an unusual time?",
    "the mean cycle time of the stories accepted in each week",
    "cycle_days",
    "Mean cycle time (days)",
    "days of cycle time",
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


def _total_age_answer(rows: list[Row], facts: Row) -> str:
    first, last = rows[0]["total_age_days"], rows[-1]["total_age_days"]
    change = words.change(round(last), round(first), words.days(first))
    return (
        f"The work in progress is {words.days(last)} old in total on "
        f"{words.day(rows[-1]['flow_date'])}, {change} on {words.day(rows[0]['flow_date'])}."
    )


TOTAL_AGE = Picture(
    name="total_age",
    question="Is our work in progress getting older?",
    definition="The sum of the ages of all stories in progress at the end of each day. A story's "
    "age is its time in progress, without pauses. The total grows each day by the number of "
    "stories in progress, and falls when a story leaves.",
    measures=(
        ("fct_flow_daily", "total_age_seconds"),
        ("fct_flow_daily", "story_count"),
    ),
    sql="""
select
    flow_date,
    round(sum(total_age_seconds) / 86400, 2) as total_age_days,
    cast(sum(story_count) as bigint) as wip_story_count
from fct_flow_daily
where
    project_id = $project_id
    and flow_date between $first_date and $last_date
    and is_in_progress
group by flow_date
having sum(story_count) > 0 and sum(total_age_seconds) is not null
order by flow_date
""",
    draw=_total_age,
    answer=_total_age_answer,
    empty="Nothing was in progress in this period, or it is unknown. Load the project's activities "
    "to see it.",
)

PAGE = Page(
    "flow",
    "Flow",
    (
        CUMULATIVE_FLOW,
        WIP,
        NET_FLOW,
        TOTAL_AGE,
        THROUGHPUT_LIMITS,
        WIP_LIMITS,
        CYCLE_TIME_LIMITS,
    ),
)
