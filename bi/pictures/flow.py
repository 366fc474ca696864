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

PAGE = Page("flow", "Flow", (CUMULATIVE_FLOW, WIP))
