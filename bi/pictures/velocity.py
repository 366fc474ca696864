"""Velocity: how much an iteration delivers, and how steadily."""

import altair as alt
import pandas as pd

from bi.pictures import look
from bi.pictures.picture import Page, Picture

_ITERATIONS = """
    from fct_iteration_velocity
    inner join dim_iteration using (iteration_key)
    where
        fct_iteration_velocity.project_id = $project_id
        and dim_iteration.start_date between $first_date and $last_date
    order by fct_iteration_velocity.iteration_number
"""


def _velocity(rows: pd.DataFrame) -> alt.LayerChart:
    tooltip = [
        alt.Tooltip("iteration_number:O", title="Iteration"),
        alt.Tooltip("start_date:T", title="Starts"),
        alt.Tooltip("accepted_points:Q", title="Accepted points"),
        alt.Tooltip("velocity:Q", title="Velocity after it"),
        alt.Tooltip("planned_velocity:Q", title="Planned with"),
        alt.Tooltip("team_strength:Q", title="Team strength", format=".0%"),
    ]
    base = alt.Chart(rows).encode(x=look.iteration_axis(), tooltip=tooltip)
    bars = base.mark_bar(color=look.SKY).encode(
        y=alt.Y("accepted_points:Q", title="Points"),
        opacity=alt.condition("datum.is_done", alt.value(1), alt.value(0.5)),
    )
    line = base.mark_line(color=look.RED, point=True).encode(y="velocity:Q")
    return bars + line


VELOCITY = Picture(
    name="velocity",
    question="How many points does an iteration deliver, and what is our velocity?",
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
    cast(fct_iteration_velocity.team_strength as double) as team_strength,
    fct_iteration_velocity.is_done
{_ITERATIONS}
""",
    draw=_velocity,
)


def _volatility(rows: pd.DataFrame) -> alt.Chart:
    return (
        alt.Chart(rows)
        .mark_line(color=look.BLUE, point=True)
        .encode(
            x=look.iteration_axis(),
            y=alt.Y(
                "velocity_volatility:Q",
                title="Volatility",
                axis=alt.Axis(format=".0%"),
            ),
            tooltip=[
                alt.Tooltip("iteration_number:O", title="Iteration"),
                alt.Tooltip("velocity_volatility:Q", title="Volatility", format=".1%"),
            ],
        )
    )


VOLATILITY = Picture(
    name="volatility",
    question="Is our velocity steady enough to promise a date?",
    measures=(("fct_iteration_velocity", "velocity_volatility"),),
    sql=f"""
select fct_iteration_velocity.iteration_number, fct_iteration_velocity.velocity_volatility
{_ITERATIONS.replace("order by", "    and velocity_volatility is not null order by")}
""",
    draw=_volatility,
    empty="There is no volatility: it takes two done iterations in the average, and a project may "
    "average over one.",
)


def _composition(rows: pd.DataFrame) -> alt.Chart:
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            x=look.iteration_axis(),
            y=alt.Y("story_count:Q", title="Accepted stories"),
            color=look.type_color(),
            tooltip=[
                alt.Tooltip("iteration_number:O", title="Iteration"),
                alt.Tooltip("story_type:N", title="Story type"),
                alt.Tooltip("story_count:Q", title="Accepted stories"),
            ],
        )
    )


COMPOSITION = Picture(
    name="composition",
    question="What is our work made of?",
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
where story_type in (select unnest($story_types))
order by iteration_number, story_type
""",
    draw=_composition,
)

PAGE = Page("velocity", "Velocity", (VELOCITY, VOLATILITY, COMPOSITION))
