"""Iterations: what was planned, what came in between, and what was done of it."""

import altair as alt
import pandas as pd

from bi.pictures import look
from bi.pictures.picture import Page, Picture


def _burn_up(rows: pd.DataFrame) -> alt.LayerChart:
    base = alt.Chart(rows).encode(x=look.day_axis("burn_date", "Day"))
    tooltip = [
        alt.Tooltip("burn_date:T", title="Day"),
        alt.Tooltip("scope_points:Q", title="Points in scope"),
        alt.Tooltip("accepted_points:Q", title="Accepted points"),
        alt.Tooltip("remaining_points:Q", title="Remaining points"),
        alt.Tooltip("ideal_accepted_points:Q", title="Ideal", format=".1f"),
    ]
    scope = base.mark_line(color=look.GREY, interpolate="step-after", size=2).encode(
        y=alt.Y("scope_points:Q", title="Points"), tooltip=tooltip
    )
    accepted = base.mark_area(color=look.GREEN, opacity=0.5, line={"color": look.GREEN}).encode(
        y="accepted_points:Q", tooltip=tooltip
    )
    ideal = base.mark_line(color=look.ORANGE, strokeDash=[5, 4]).encode(
        y="ideal_accepted_points:Q", tooltip=tooltip
    )
    return accepted + scope + ideal


BURN_UP = Picture(
    name="burn_up",
    question="Will the iteration get done? Scope (grey), accepted (green), ideal (dashed)",
    measures=(
        ("fct_iteration_burn_daily", "scope_points"),
        ("fct_iteration_burn_daily", "accepted_points"),
        ("fct_iteration_burn_daily", "ideal_remaining_points"),
    ),
    sql="""
with latest_iteration as (
    select iteration_key
    from dim_iteration
    where
        project_id = $project_id
        and not is_future
        and start_date <= $last_date
    order by iteration_number desc
    limit 1
)
select
    dim_iteration.iteration_number,
    burn_date,
    cast(scope_points as double) as scope_points,
    cast(accepted_points as double) as accepted_points,
    cast(remaining_points as double) as remaining_points,
    cast(scope_points as double) - ideal_remaining_points as ideal_accepted_points,
    scope_story_count,
    fct_iteration_burn_daily.accepted_story_count
from fct_iteration_burn_daily
inner join latest_iteration using (iteration_key)
inner join dim_iteration using (iteration_key)
order by burn_date
""",
    draw=_burn_up,
)


def _scope(rows: pd.DataFrame) -> alt.Chart:
    kinds = ["committed", "carried in", "added", "removed", "spilled"]
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            x=look.iteration_axis(),
            y=alt.Y("signed_points:Q", title="Points in (up) and out undone (down)"),
            color=alt.Color(
                "kind:N",
                title="Stories",
                scale=alt.Scale(
                    domain=kinds,
                    range=[look.BLUE, look.SKY, look.ORANGE, look.GREY, look.RED],
                ),
            ),
            tooltip=[
                alt.Tooltip("iteration_number:O", title="Iteration"),
                alt.Tooltip("kind:N", title="Stories"),
                alt.Tooltip("story_count:Q", title="Stories"),
                alt.Tooltip("points:Q", title="Points"),
            ],
        )
    )


SCOPE = Picture(
    name="scope",
    question="How did the scope change while the iteration ran?",
    measures=(
        ("fct_iteration_scope", "entry_kind"),
        ("fct_iteration_scope", "exit_kind"),
    ),
    sql="""
with moves as (
    select iteration_key, entry_kind as kind, points_at_entry as points, 1 as direction
    from fct_iteration_scope
    where project_id = $project_id and story_type in (select unnest($story_types))

    union all

    select iteration_key, exit_kind as kind, points_at_exit as points, -1 as direction
    from fct_iteration_scope
    where
        project_id = $project_id
        and story_type in (select unnest($story_types))
        and exit_kind in ('removed', 'spilled')
)
select
    iteration_number,
    kind,
    count(*) as story_count,
    cast(coalesce(sum(points), 0) as double) as points,
    cast(coalesce(sum(points * direction), 0) as double) as signed_points
from moves
inner join dim_iteration using (iteration_key)
where start_date between $first_date and $last_date
group by iteration_number, kind
order by iteration_number, kind
""",
    draw=_scope,
)


def _say_do(rows: pd.DataFrame) -> alt.Chart:
    return (
        alt.Chart(rows)
        .mark_line(color=look.BLUE, point=True)
        .encode(
            x=look.iteration_axis(),
            y=alt.Y("say_do_ratio:Q", title="Done of what was said", axis=alt.Axis(format=".0%")),
            tooltip=[
                alt.Tooltip("iteration_number:O", title="Iteration"),
                alt.Tooltip("say_do_ratio:Q", title="Done of what was said", format=".0%"),
                alt.Tooltip("committed_points:Q", title="Committed points"),
            ],
        )
    )


SAY_DO = Picture(
    name="say_do",
    question="How much of what we say do we do?",
    measures=(("fct_iteration_velocity", "say_do_ratio"),),
    sql="""
select
    fct_iteration_velocity.iteration_number,
    say_do_ratio,
    cast(committed_points as double) as committed_points
from fct_iteration_velocity
inner join dim_iteration using (iteration_key)
where
    fct_iteration_velocity.project_id = $project_id
    and fct_iteration_velocity.is_done
    and start_date between $first_date and $last_date
    and say_do_ratio is not null
order by fct_iteration_velocity.iteration_number
""",
    draw=_say_do,
)

PAGE = Page("iterations", "Iterations", (BURN_UP, SCOPE, SAY_DO))
