"""Velocity: how much iterations deliver, and how consistently."""

from bi import words
from bi.pictures import look
from bi.pictures.picture import Page, Picture, Row, Spec

_NO_ITERATION = (
    "No iteration started in this period. Choose a longer period; a CSV export has iterations only "
    "if it has columns for them."
)
_ITERATIONS = """
    from fct_iteration_velocity
    inner join dim_iteration using (iteration_key)
    where
        fct_iteration_velocity.project_id = $project_id
        and dim_iteration.start_date between $first_date and $last_date
"""


def _velocity(rows: list[Row], facts: Row) -> Spec:
    tooltip = look.tips(
        "iteration_number",
        "start_date",
        "accepted_points",
        "velocity",
        "planned_velocity",
        "team_strength_share",
    )
    colors = {"Accepted points": look.SKY, "Velocity": look.RED}
    x = look.iteration_axis()
    bars = look.layer(
        "bar",
        x=x,
        y=look.quantity("accepted_points", "Points"),
        series=("Accepted points", colors),
        opacity={"condition": {"test": "datum.is_done", "value": 1}, "value": 0.5},
        tooltip=tooltip,
    )
    line = look.layer(
        "line",
        mark_point=True,
        x=x,
        y=look.quantity("velocity", "Points"),
        series=("Velocity", colors),
        tooltip=tooltip,
    )
    return look.spec(rows, bars, line)


def _velocity_answer(rows: list[Row], facts: Row) -> str:
    known = [row["velocity"] for row in rows if row["velocity"] is not None]
    if not known:
        return "No iteration is done yet, so there is no velocity."
    first = next(row for row in rows if row["velocity"] is not None)
    if [row for row in rows if row["is_done"]][-1]["velocity"] is None:
        return (
            "There is no velocity now: nothing was accepted in the iterations that it averages. "
            f"The last one was {words.count(known[-1], 'point')} per iteration."
        )
    change = words.change(known[-1], known[0], f"{known[0]:,} after iteration ")
    return (
        f"Velocity is {words.count(known[-1], 'point')} per iteration, "
        f"{change}{first['iteration_number']}."
    )


VELOCITY = Picture(
    name="velocity",
    question="How many points does an iteration deliver, and what is our velocity?",
    definition="Bars: points of the stories accepted in each iteration; the current iteration is "
    "pale. Line: Tracker's velocity after that iteration, the average of the last iterations (a "
    "project setting says how many), adjusted for team strength and length, rounded down.",
    measures=(
        ("fct_iteration_velocity", "accepted_points"),
        ("fct_iteration_velocity", "velocity"),
    ),
    sql=f"""
select
    fct_iteration_velocity.iteration_number,
    dim_iteration.start_date,
    cast(fct_iteration_velocity.accepted_points as double) as accepted_points,
    fct_iteration_velocity.velocity,
    fct_iteration_velocity.planned_velocity,
    cast(fct_iteration_velocity.team_strength as double) as team_strength_share,
    fct_iteration_velocity.is_done
{_ITERATIONS}
order by fct_iteration_velocity.iteration_number
""",
    draw=_velocity,
    answer=_velocity_answer,
    empty=_NO_ITERATION,
)


def _volatility(rows: list[Row], facts: Row) -> Spec:
    return look.iteration_line(rows, "velocity_volatility", "Volatility")


def _volatility_answer(rows: list[Row], facts: Row) -> str:
    last = rows[-1]["velocity_volatility"]
    verdict = (
        "steady enough to promise a date"
        if last <= 0.25
        else "too unsteady to promise one date; give a range"
        if last <= 0.6
        else "far too unsteady to promise a date; see the forecast's range under Plans"
    )
    return (
        f"After iteration {rows[-1]['iteration_number']}, volatility is {words.share(last)}: "
        f"{verdict}."
    )


VOLATILITY = Picture(
    name="volatility",
    question="Is our velocity steady enough to promise a date?",
    definition="Volatility: how much the accepted points of the averaged iterations vary (standard "
    "deviation divided by the mean). 0 % means the same points each time. Below about 25 % you can "
    "reasonably promise a single date.",
    measures=(("fct_iteration_velocity", "velocity_volatility"),),
    sql=f"""
select fct_iteration_velocity.iteration_number, fct_iteration_velocity.velocity_volatility
{_ITERATIONS}
    and velocity_volatility is not null
order by fct_iteration_velocity.iteration_number
""",
    draw=_volatility,
    answer=_volatility_answer,
    empty="There is no volatility: it requires two done iterations in the average, and a project "
    "may average over a single one.",
)


def _composition(rows: list[Row], facts: Row) -> Spec:
    return look.spec(
        rows,
        look.layer(
            "bar",
            x=look.iteration_axis(),
            y=look.quantity("story_count", "Accepted stories"),
            color=look.type_color(),
            tooltip=look.tips("iteration_number", "story_type", "story_count"),
        ),
    )


def _composition_answer(rows: list[Row], facts: Row) -> str:
    counts = dict.fromkeys(look.TYPE_COLORS, 0)
    for row in rows:
        counts[row["story_type"]] += row["story_count"]
    total = sum(counts.values())
    if not total:
        return "Nothing was accepted in these iterations."
    parts = [f"{words.share(number / total)} {name}s" for name, number in counts.items()]
    return f"Of {words.count(total, 'accepted story')}: {', '.join(parts)}."


COMPOSITION = Picture(
    name="composition",
    question="What is our work made of?",
    definition="Stories accepted in each iteration, by type.",
    measures=(
        ("fct_iteration_velocity", "accepted_feature_count"),
        ("fct_iteration_velocity", "accepted_bug_count"),
        ("fct_iteration_velocity", "accepted_chore_count"),
    ),
    sql=f"""
with counts as (
    select
        fct_iteration_velocity.iteration_number,
        fct_iteration_velocity.accepted_feature_count as feature,
        fct_iteration_velocity.accepted_bug_count as bug,
        fct_iteration_velocity.accepted_chore_count as chore
    {_ITERATIONS}
)
select iteration_number, story_type, story_count
from (unpivot counts on feature, bug, chore into name story_type value story_count)
order by iteration_number, story_type
""",
    draw=_composition,
    answer=_composition_answer,
    empty=_NO_ITERATION,
)

PAGE = Page("velocity", "Velocity", (VELOCITY, VOLATILITY, COMPOSITION))
