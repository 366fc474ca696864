"""Plans: how far epics and releases are, when they will be done, and whether to believe it."""

import altair as alt
import pandas as pd

from bi.pictures import look
from bi.pictures.picture import Page, Picture


def _progress(rows: pd.DataFrame, name: str) -> alt.LayerChart:
    base = alt.Chart(rows).encode(
        y=alt.Y(f"{name}:N", title=None, sort=None, axis=alt.Axis(labelLimit=180)),
        tooltip=[
            alt.Tooltip(f"{name}:N", title="Plan"),
            alt.Tooltip("accepted_story_count:Q", title="Accepted stories"),
            alt.Tooltip("story_count:Q", title="Stories"),
            alt.Tooltip("accepted_points:Q", title="Accepted points"),
            alt.Tooltip("total_points:Q", title="Points"),
            alt.Tooltip("projected_date:T", title="Projected"),
        ],
    )
    total = base.mark_bar(color=look.GREY, opacity=0.4).encode(
        x=alt.X("story_count:Q", title="Stories: accepted, of all")
    )
    accepted = base.mark_bar(color=look.GREEN).encode(x="accepted_story_count:Q")
    return total + accepted


def _epics(rows: pd.DataFrame) -> alt.LayerChart:
    return _progress(rows, "epic_name")


def _releases(rows: pd.DataFrame) -> alt.LayerChart:
    return _progress(rows, "release_name")


_PROGRESS_COLUMNS = """
    story_count,
    accepted_story_count,
    cast(total_points as double) as total_points,
    cast(accepted_points as double) as accepted_points,
    early_projected_date,
    projected_date,
    late_projected_date
"""

EPICS = Picture(
    name="epics",
    question="How far are our epics?",
    measures=(
        ("fct_epic_progress", "accepted_story_count"),
        ("fct_epic_progress", "projected_date"),
    ),
    sql=f"""
select epic_name, {_PROGRESS_COLUMNS}
from fct_epic_progress
where project_id = $project_id and story_count > 0
order by remaining_story_count = 0, remaining_story_count desc, epic_name
limit 25
""",
    draw=_epics,
    empty="This project has no epics with stories.",
)

RELEASES = Picture(
    name="releases",
    question="Will our releases be in time?",
    measures=(
        ("fct_release_progress", "projected_date"),
        ("fct_release_progress", "is_projected_late"),
    ),
    sql=f"""
select
    release_name, {_PROGRESS_COLUMNS},
    deadline_date,
    is_projected_late
from fct_release_progress
where project_id = $project_id and accepted_at is null
order by coalesce(deadline_date, projected_date), release_name
limit 25
""",
    draw=_releases,
    empty="This project has no open releases.",
)


def _fan(rows: pd.DataFrame) -> alt.LayerChart:
    wide = rows.pivot_table(
        index=["target", "target_place"],
        columns="percentile",
        values="forecast_date",
        aggfunc="first",
    ).reset_index()
    wide.columns = [f"p{each}" if isinstance(each, int) else each for each in wide.columns]
    for column in ("p50", "p85", "p95"):
        if column not in wide:
            wide[column] = pd.NaT
    place = alt.Y("target:N", title=None, sort=None, axis=alt.Axis(labelLimit=180))
    tooltip = [
        alt.Tooltip("target:N", title="What"),
        alt.Tooltip("p50:T", title="Even odds by"),
        alt.Tooltip("p85:T", title="85 % sure by"),
        alt.Tooltip("p95:T", title="95 % sure by"),
    ]
    base = alt.Chart(wide.sort_values("target_place")).encode(y=place, tooltip=tooltip)
    fan = base.mark_bar(color=look.SKY, height=12).encode(
        x=alt.X("p50:T", title="Done by: even odds to 95 % sure"), x2="p95:T"
    )
    sure = base.mark_tick(color=look.RED, thickness=3, height=18).encode(x="p85:T")
    return fan + sure


FORECAST = Picture(
    name="forecast",
    question="When will it be done? (red: the day that 85 of 100 futures keep)",
    measures=(("fct_forecast", "forecast_date"),),
    sql="""
select
    case fct_forecast.target_kind
        when 'project' then 'everything queued'
        else coalesce(dim_epic.epic_name, dim_release.release_name)
    end as target,
    dense_rank() over (order by fct_forecast.target_kind = 'project' desc, target_id)
        as target_place,
    fct_forecast.target_kind,
    percentile,
    forecast_date,
    remaining_story_count,
    sampled_week_count,
    gap_reason
from fct_forecast
left join dim_epic
    on fct_forecast.target_kind = 'epic' and target_id = dim_epic.epic_id
left join dim_release
    on fct_forecast.target_kind = 'release' and target_id = dim_release.release_id
where
    fct_forecast.project_id = $project_id
    and question = 'when'
    and forecast_date is not null
order by target_place, percentile
""",
    draw=_fan,
    empty="There is nothing to forecast, or no past week to draw from: see the table "
    "fct_forecast, column gap_reason.",
)


def _calibration(rows: pd.DataFrame) -> alt.LayerChart:
    base = alt.Chart(rows).encode(
        x=alt.X(
            "percentile:Q",
            title="Promised (per cent)",
            scale=alt.Scale(domain=[40, 100]),
        )
    )
    held = base.mark_line(point=True).encode(
        y=alt.Y("held_percent:Q", title="Held (per cent)", scale=alt.Scale(domain=[0, 100])),
        color=alt.Color("forecast:N", title="Forecast", scale=alt.Scale(scheme="tableau10")),
        tooltip=[
            alt.Tooltip("forecast:N", title="Forecast"),
            alt.Tooltip("percentile:Q", title="Promised (per cent)"),
            alt.Tooltip("held_percent:Q", title="Held (per cent)", format=".0f"),
            alt.Tooltip("decided_count:Q", title="Forecasts whose day is past"),
        ],
    )
    right = base.mark_line(color=look.GREY, strokeDash=[5, 4]).encode(y="percentile:Q")
    return right + held


CALIBRATION = Picture(
    name="calibration",
    question="Can we believe the forecast? (dashed: as often as promised)",
    measures=(("fct_forecast_calibration", "held_share"),),
    sql="""
select
    case
        when question = 'when' then 'when'
        else 'how many in ' || horizon_week_count || ' weeks'
    end as forecast,
    percentile,
    held_share * 100 as held_percent,
    decided_count
from fct_forecast_calibration
where project_id = $project_id and held_share is not null
order by forecast, percentile
""",
    draw=_calibration,
    empty="No forecast of the past is decided yet.",
)

PAGE = Page("plans", "Plans", (EPICS, RELEASES, FORECAST, CALIBRATION))
