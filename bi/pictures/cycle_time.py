"""Cycle time: how long stories take, where they wait, and which times can be promised."""

from bi import words
from bi.pictures import look
from bi.pictures.picture import CHOSEN_STORIES, ENOUGH, Page, Picture, Row, Spec, percentile

_TOO_FEW = f"Percentiles require {ENOUGH} stories."
_MAX_POINTS = 1500  # more would overlap, and take the browser longer to draw
_STATES = ("started", "finished", "delivered", "rejected")

# The times of accepted stories in days: cycle time, lead time, and the time in each state.
_TIMED_STORIES = f"""
with {CHOSEN_STORIES},
timed_stories as (
    select
        chosen_stories.story_id,
        chosen_stories.story_name,
        chosen_stories.story_type,
        chosen_stories.accepted_date,
        chosen_stories.accepted_at,
        cast(chosen_stories.estimate as double) as estimate,
        fct_story_cycle_time.cycle_time_seconds / 86400 as cycle_days,
        fct_story_cycle_time.lead_time_seconds / 86400 as lead_days,
        fct_story_cycle_time.started_seconds / 86400 as started,
        fct_story_cycle_time.finished_seconds / 86400 as finished,
        fct_story_cycle_time.delivered_seconds / 86400 as delivered,
        fct_story_cycle_time.rejected_seconds / 86400 as rejected
    from fct_story_cycle_time
    inner join chosen_stories using (story_id)
    where fct_story_cycle_time.is_accepted
),
filtered_stories as (
    select * from timed_stories where accepted_date between $first_date and $last_date
)
"""


def _sampled_stories(rows: list[Row], column: str, p95: float | None) -> list[Row]:
    """If there are many stories, every second (third, ...) one, and all that took longest."""
    step = (len(rows) - 1) // _MAX_POINTS + 1
    if p95 is None:
        return rows
    return [row for index, row in enumerate(rows) if row[column] > p95 or index % step == 0]


def _scatter(rows: list[Row], facts: Row, column: str) -> Spec:
    levels = [facts[f"p{each}_days"] for each in (50, 85, 95)]
    # A square-root scale, so that a few long ones do not compress all others.
    y = look.quantity(column, scale={"type": "sqrt"})
    points = look.layer(
        "circle",
        mark_size=45,
        mark_opacity=0.7,
        x=look.days_axis(rows, "accepted_date"),
        y=y,
        color=look.type_color(),
        tooltip=look.tips("story_name", "story_type", "accepted_date", column),
    )
    shares: dict[float, list[str]] = {}
    for percent, level in zip((50, 85, 95), levels, strict=True):
        if level is not None:
            shares.setdefault(level, []).append(f"{percent} %")
    lines = [
        {column: level, "label": f"{' and '.join(names)}: {words.days(level)}"}
        for level, names in shares.items()
    ]
    rules = look.spec(
        lines, look.layer("rule", look.GREY, mark_strokeDash=[5, 4], mark_size=1.5, y=y)
    )
    labels = look.spec(
        lines,
        look.layer(
            "text",
            mark_align="right",
            mark_dx=-4,
            mark_dy=-6,
            mark_fontWeight="bold",
            x={"value": "width"},
            y=y,
            text={"field": "label"},
        ),
    )
    drawn = _sampled_stories(rows, column, levels[2])
    return look.spec(drawn, *([rules] if lines else []), points, *([labels] if lines else []))


def _scatter_answer(rows: list[Row], facts: Row, column: str, span: str) -> str:
    if facts["p85_days"] is None:
        times = [row[column] for row in rows]
        return (
            f"{words.count(len(rows), 'accepted story')} took {words.days(min(times))} to "
            f"{words.days(max(times))} from {span}. {_TOO_FEW}"
        )
    text = (
        f"85 % of {words.count(facts['story_count'], 'accepted story')} took at most "
        f"{words.days(facts['p85_days'])} from {span}, half at most "
        f"{words.days(facts['p50_days'])}"
    )
    if facts["p85_before"] is None:
        return text + "."
    before = f"{words.days(facts['p85_before'])} in the {facts['day_count']} days before"
    return f"{text}; 85 % is {words.change(facts['p85_days'], facts['p85_before'], before)}."


def _scatter_picture(
    name: str, column: str, question: str, span: str, definition: str, empty: str
) -> Picture:
    """A scatter plot of one of the two times of accepted stories.

    Args:
        name: the picture's name, which is also the measure's.
        column: the column of days in `timed_stories`.
        question: the title.
        span: the two events between which the time passes.
        definition: the measure's definition.
        empty: the message if no story has this time.
    """
    return Picture(
        name=name,
        question=question,
        definition=f"Each point is an accepted story. {definition} The lines are for all matching "
        f"stories; of more than {_MAX_POINTS:,}, all above the 95 % line and a sample of the "
        "others are drawn.",
        measures=(("fct_story_cycle_time", f"{name}_seconds"),),
        sql=f"""
{_TIMED_STORIES}
select story_id, story_name, story_type, accepted_date, round({column}, 2) as {column}
from filtered_stories
where {column} is not null
order by accepted_at desc, story_id
""",
        facts_sql=f"""
{_TIMED_STORIES}
select
    {percentile(column, 0.5)} as p50_days,
    {percentile(column, 0.85)} as p85_days,
    {percentile(column, 0.95)} as p95_days,
    count({column}) as story_count,
    (
        select {percentile(column, 0.85)}
        from timed_stories
        where
            accepted_date < $first_date
            and accepted_date >= $first_date - cast($last_date - $first_date + 1 as integer)
    ) as p85_before,
    $last_date - $first_date + 1 as day_count
from filtered_stories
""",
        draw=lambda rows, facts: _scatter(rows, facts, column),
        answer=lambda rows, facts: _scatter_answer(rows, facts, column, span),
        empty=empty,
    )


_NO_HISTORY = (
    "No matching story was accepted in this period, or it is unknown when work on it started. "
    "Choose a longer period, or load the project's activities or history in addition to a CSV "
    "export. The lead time below needs neither."
)

SCATTER = _scatter_picture(
    "cycle_time",
    "cycle_days",
    "How long does a story take, from start to acceptance?",
    "start to acceptance",
    "Cycle time is defined as in Tracker: the days that a story was started, finished, delivered "
    "or rejected, without pauses in between.",
    _NO_HISTORY,
)
LEAD_TIME = _scatter_picture(
    "lead_time",
    "lead_days",
    "How long does a request wait until it is accepted?",
    "request to acceptance",
    "Lead time is the number of days from a story's creation to its acceptance; for a CSV export, "
    "which has only dates, whole days.",
    "No matching story was accepted in this period, or its creation is unknown. Choose a longer "
    "period or fewer filters.",
)


def _percentiles(
    channel: str, category: Spec, title: str, width: int, tooltip: list[Spec]
) -> list[Spec]:
    """For each category on an axis, the median as a bar and the 85th percentile as a mark."""
    colors = {"half at most": look.BLUE, "85 % at most": look.PINK}
    other, size = ("x", "mark_height") if channel == "y" else ("y", "mark_width")
    return [
        look.layer(
            mark,
            **properties,
            **{channel: category, other: look.quantity(column, title)},
            series=(name, colors),
            tooltip=tooltip,
        )
        for mark, column, name, properties in (
            ("bar", "p50_days", "half at most", {size: width}),
            ("tick", "p85_days", "85 % at most", {"mark_thickness": 4, "mark_size": width + 8}),
        )
    ]


def _waits(rows: list[Row], facts: Row) -> Spec:
    layers = _percentiles(
        "y",
        look.category("story_state", title=None, sort=list(_STATES)),
        "Time in the state (days)",
        18,
        look.tips("story_state", "p50_days", "p85_days", "story_count"),
    )
    return look.spec(rows, *layers, height=look.bars_height(rows, "story_state", 40))


def _waits_answer(rows: list[Row], facts: Row) -> str:
    known = [row for row in rows if row["p50_days"] is not None]
    if not known:
        return f"Too few stories were in any one of these states. {_TOO_FEW}"
    longest = max(known, key=lambda row: row["p50_days"])
    worst = max(known, key=lambda row: row["p85_days"])
    text = (
        f"Stories spend most time in {longest['story_state']}: half of them at most "
        f"{words.days(longest['p50_days'])}"
    )
    if worst is longest:
        return f"{text}, 85 % at most {words.days(worst['p85_days'])}."
    return (
        f"{text}. The slowest 15 % spend most time in {worst['story_state']}: more than "
        f"{words.days(worst['p85_days'])}."
    )


WAITS = Picture(
    name="time_in_state",
    question="Where do stories wait?",
    definition="The total time of accepted stories in each state. The bar is the median (half of "
    "the stories took at most that long), the mark is the 85th percentile. Stories that were "
    "never in a state are excluded from it.",
    measures=tuple(("fct_story_cycle_time", f"{state}_seconds") for state in _STATES),
    sql=f"""
{_TIMED_STORIES},
state_times as (
    select story_state, days_in_state
    from (
        unpivot filtered_stories on started, finished, delivered, rejected
        into name story_state value days_in_state
    )
    where days_in_state > 0
)
select
    story_state,
    count(*) as story_count,
    round({percentile("days_in_state", 0.5)}, 3) as p50_days,
    round({percentile("days_in_state", 0.85)}, 3) as p85_days
from state_times
group by story_state
order by p85_days desc nulls last, story_state
""",
    draw=_waits,
    answer=_waits_answer,
    empty=_NO_HISTORY,
)


def _distribution(rows: list[Row], facts: Row) -> Spec:
    return look.spec(
        rows,
        look.layer(
            "bar",
            look.BLUE,
            mark_binSpacing=1,
            x=look.quantity("from_days", "Cycle time (days); the last bar has all longer ones"),
            x2={"field": "to_days"},
            y=look.quantity("story_count", "Accepted stories", stack=None),
            y2={"datum": 0},
            tooltip=look.tips("from_days", "longest_days", "story_count"),
        ),
    )


def _distribution_answer(rows: list[Row], facts: Row) -> str:
    total = sum(row["story_count"] for row in rows)
    most = max(rows, key=lambda row: row["story_count"])
    return (
        f"Most common are {words.days(most['from_days'])} to {words.days(most['to_days'])}: "
        f"{most['story_count']:,} of {words.count(total, 'story')}. The longest took "
        f"{words.days(max(row['longest_days'] for row in rows))}."
    )


DISTRIBUTION = Picture(
    name="distribution",
    question="How are cycle times distributed?",
    definition="The number of accepted stories by cycle time in days.",
    measures=(("fct_story_cycle_time", "cycle_time_seconds"),),
    sql=f"""
{_TIMED_STORIES},
bars as (
    select
        greatest(0.25, ceil(quantile_cont(cycle_days, 0.95) / 20 * 4) / 4) as bar_days,
        21 as bar_count
    from filtered_stories
)
select
    least(floor(cycle_days / bar_days), bar_count) * bar_days as from_days,
    (least(floor(cycle_days / bar_days), bar_count) + 1) * bar_days as to_days,
    max(cycle_days) as longest_days,
    count(*) as story_count
from filtered_stories
cross join bars
where cycle_days is not null
group by from_days, to_days
order by from_days
""",
    draw=_distribution,
    answer=_distribution_answer,
    empty=_NO_HISTORY,
)


def _percentiles_answer(rows: list[Row], facts: Row) -> str:
    known = [row for row in rows if row["within_85_days"] is not None]
    if not known:
        return f"Too few stories of each type were accepted. {_TOO_FEW}"
    best = next((row for row in known if row["story_type"] == "feature"), known[0])
    return (
        f"If you promise a {best['story_type']} within {words.days(best['within_85_days'])} of its "
        "start, you keep 85 % of the promises."
    )


PERCENTILES = Picture(
    name="percentiles",
    question="What can we promise?",
    definition="The calendar days from the first start to acceptance, including pauses, within "
    "which 50, 85 or 95 % of the accepted stories of a type were done.",
    measures=(("fct_story_cycle_time", "elapsed_cycle_time_seconds"),),
    sql=f"""
{_TIMED_STORIES}
select
    filtered_stories.story_type,
    count(*) as story_count,
    cast(ceil(({percentile("elapsed_cycle_time_seconds", 0.5)}) / 86400) as bigint)
        as within_50_days,
    cast(ceil(({percentile("elapsed_cycle_time_seconds", 0.85)}) / 86400) as bigint)
        as within_85_days,
    cast(ceil(({percentile("elapsed_cycle_time_seconds", 0.95)}) / 86400) as bigint)
        as within_95_days
from filtered_stories
inner join fct_story_cycle_time using (story_id)
where elapsed_cycle_time_seconds is not null
group by filtered_stories.story_type
order by story_count desc
""",
    answer=_percentiles_answer,
    empty=_NO_HISTORY,
)


def _estimates(rows: list[Row], facts: Row) -> Spec:
    axis = {"labelAngle": 0, "format": "~g"}
    layers = _percentiles(
        "x",
        {"field": "estimate", "type": "ordinal", "title": "Estimate (points)", "axis": axis},
        "Cycle time (days)",
        24,
        look.tips("estimate", "story_count", "p50_days", "p85_days"),
    )
    return look.spec(rows, *layers)


def _estimates_answer(rows: list[Row], facts: Row) -> str:
    if facts["correlation"] is None:
        return f"There are fewer than {ENOUGH} stories, or all have the same estimate."
    strength = abs(facts["correlation"])
    word = "closely" if strength >= 0.6 else "loosely" if strength >= 0.3 else "hardly"
    return (
        f"Estimates and cycle times are {word} related (rank correlation "
        f"{facts['correlation']:.2f} over {words.count(facts['story_count'], 'story')})."
    )


ESTIMATES = Picture(
    name="estimates",
    question="Do larger stories take longer?",
    definition="Cycle time of accepted stories by estimate: the bar is the median, the mark the "
    f"85th percentile, drawn from {ENOUGH} stories on. The rank correlation is 1 if every larger "
    "story took longer, and 0 if size makes no difference.",
    measures=(
        ("fct_cycle_time_by_estimate", "p50_seconds"),
        ("fct_cycle_time_by_estimate", "p85_seconds"),
    ),
    sql=f"""
{_TIMED_STORIES}
select
    estimate,
    count(*) as story_count,
    round({percentile("cycle_days", 0.5)}, 2) as p50_days,
    round({percentile("cycle_days", 0.85)}, 2) as p85_days
from filtered_stories
where estimate is not null and cycle_days is not null
group by estimate
order by estimate
""",
    facts_sql=f"""
{_TIMED_STORIES},
ranked as (
    select
        -- Equal values share the mean of their ranks, as Spearman's correlation asks.
        rank() over (order by estimate) + (count(*) over (partition by estimate) - 1) / 2
            as estimate_rank,
        rank() over (order by cycle_days) + (count(*) over (partition by cycle_days) - 1) / 2
            as cycle_rank
    from filtered_stories
    where estimate is not null and cycle_days is not null
)
select
    case when count(*) >= {ENOUGH} and isfinite(corr(estimate_rank, cycle_rank))
        then corr(estimate_rank, cycle_rank) end as correlation,
    count(*) as story_count
from ranked
""",
    draw=_estimates,
    answer=_estimates_answer,
    empty="No matching accepted story has both an estimate and a known cycle time.",
)


def _efficiency(rows: list[Row], facts: Row) -> Spec:
    return look.spec(
        rows,
        look.layer(
            "line",
            look.GREEN,
            mark_point={"color": look.GREEN},
            x=look.month_axis("accepted_month"),
            y=look.quantity("flow_efficiency", "Worked on", scale={"domain": [0, 1]}),
            tooltip=look.tips("accepted_month", "flow_efficiency", "story_count"),
        ),
    )


def _efficiency_answer(rows: list[Row], facts: Row) -> str:
    last = rows[-1]
    return (
        f"Stories accepted in {last['accepted_month']:%b %Y} were worked on for "
        f"{words.share(last['flow_efficiency'])} of their time in progress and waited for the rest."
    )


EFFICIENCY = Picture(
    name="flow_efficiency",
    question="How much of the time are stories worked on?",
    definition="For the stories accepted in each month: the time started and not blocked, as a "
    "share of the time in progress. The rest is waiting for delivery, acceptance or a restart.",
    measures=(("fct_flow_efficiency", "flow_efficiency"),),
    sql=f"""
{_TIMED_STORIES}
select
    cast(date_trunc('month', filtered_stories.accepted_date) as date) as accepted_month,
    sum(active_seconds) / nullif(sum(active_seconds + waiting_seconds), 0) as flow_efficiency,
    count(*) as story_count
from fct_flow_efficiency
inner join filtered_stories using (story_id)
group by accepted_month
having flow_efficiency is not null
order by accepted_month
""",
    draw=_efficiency,
    answer=_efficiency_answer,
    empty=_NO_HISTORY,
)

PAGE = Page(
    "cycle-time",
    "Cycle time",
    (SCATTER, PERCENTILES, WAITS, DISTRIBUTION, ESTIMATES, EFFICIENCY, LEAD_TIME),
)
