"""What the dashboard and the report say around the pictures: choices, key figures, definitions."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb
import pandas as pd

from bi.pictures.picture import Picture

STORY_TYPES = ("feature", "bug", "chore")
# How far a picture looks back at first: long enough for a trend, short enough to be read.
_DAYS_SHOWN = 365


@dataclass(frozen=True)
class Project:
    """A project that can be chosen.

    Attributes:
        first_date: its first day, in its own zone.
        last_date: the day of as_of, in its own zone.
        coverage: the share of its stories with a complete history; None without stories.
    """

    project_id: int
    name: str
    first_date: date
    last_date: date
    coverage: float | None

    @property
    def first_shown_date(self) -> date:
        """The first day that is shown before anybody chooses one."""
        return max(self.first_date, self.last_date - timedelta(days=_DAYS_SHOWN))


def projects(connection: duckdb.DuckDBPyConnection) -> list[Project]:
    """All projects, the one with the latest activity first."""
    found = connection.execute(
        """
        with coverage as (
            select
                project_id,
                avg(cast(history_coverage = 'complete' as integer)) as share
            from fct_story_cycle_time
            where not is_deleted
            group by project_id
        )
        select
            dim_project.project_id,
            coalesce(project_name, 'Project ' || dim_project.project_id),
            cast(timezone(coalesce(time_zone, 'UTC'), coalesce(
                least(started_at, first_activity_at),
                (select min(created_at) from dim_story
                    where dim_story.project_id = dim_project.project_id),
                as_of
            )) as date),
            cast(timezone(coalesce(time_zone, 'UTC'), as_of) as date),
            coverage.share
        from dim_project
        left join coverage using (project_id)
        order by last_activity_at desc nulls last, story_count desc, project_name
        """
    )
    return [Project(*row) for row in found.fetchall()]


def labels_and_owners(
    connection: duckdb.DuckDBPyConnection, project_id: int
) -> tuple[dict[str, int], dict[str, int]]:
    """Labels and owners that a project's stories have: {name: id}, by name."""
    labels = connection.execute(
        """
        select label_name, min(label_id)
        from dim_label
        where project_id = ? and story_count > 0
        group by label_name
        order by lower(label_name)
        """,
        [project_id],
    ).fetchall()
    owners = connection.execute(
        """
        select coalesce(person_name, 'Person ' || person_id), person_id
        from dim_person
        where person_id in (select person_id from bridge_story_owner where project_id = ?)
        order by lower(person_name)
        """,
        [project_id],
    ).fetchall()
    return dict(labels), dict(owners)


@dataclass(frozen=True)
class KeyFigure:
    """A number to begin with: what it is, how it is shown, and the column it comes from."""

    title: str
    value: str
    measure: tuple[str, str]


def key_figures(connection: duckdb.DuckDBPyConnection, project_id: int) -> list[KeyFigure]:
    """The first five things that a team asks; a dash where the data does not tell."""
    row = connection.execute(
        """
        with last_done as (
            select velocity_volatility
            from fct_iteration_velocity
            where project_id = $project_id and is_done
            order by iteration_number desc
            limit 1
        ),
        rejection as (
            select sum(rejected_story_count)
                / nullif(sum(accepted_feature_count + accepted_bug_count), 0) as rate
            from (
                select *
                from fct_iteration_velocity
                where project_id = $project_id and is_done
                order by iteration_number desc
                limit 6
            )
        ),
        percentile as (
            select p85_seconds
            from fct_cycle_time_percentile
            where project_id = $project_id and story_type = 'all'
            order by window_days nulls last
            limit 1
        )
        select
            (select current_velocity from dim_project where project_id = $project_id),
            (select velocity_volatility from last_done),
            (select p85_seconds / 86400 from percentile),
            (select rate from rejection),
            (select count(*) from fct_wip_aging where project_id = $project_id)
        """,
        {"project_id": project_id},
    ).fetchone()
    velocity, volatility, p85_days, rejection_rate, wip = row
    return [
        KeyFigure(
            "Velocity", _shown(velocity, "{:,.0f} points"), ("dim_project", "current_velocity")
        ),
        KeyFigure(
            "Volatility",
            _shown(volatility, "{:.0%}"),
            ("fct_iteration_velocity", "velocity_volatility"),
        ),
        KeyFigure(
            "85 % done within",
            _shown(p85_days, "{:,.1f} days"),
            ("fct_cycle_time_percentile", "p85_seconds"),
        ),
        KeyFigure(
            "Rejected, last 6 iterations",
            _shown(rejection_rate, "{:.0%}"),
            ("fct_iteration_velocity", "rejection_rate"),
        ),
        KeyFigure("In progress", _shown(wip, "{:,.0f} stories"), ("fct_wip_aging", "story_id")),
    ]


def _shown(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)


def figures_as_html(connection: duckdb.DuckDBPyConnection, project_id: int) -> str:
    """The key figures as a row of boxes, each with its definition as a tooltip."""
    boxes = []
    for figure in key_figures(connection, project_id):
        meaning = _definition(connection, *figure.measure) or ""
        boxes.append(
            f'<div class="figure" title="{html.escape(meaning)}">{html.escape(figure.title)}'
            f"<b>{html.escape(figure.value)}</b></div>"
        )
    return f'<div class="figures">{"".join(boxes)}</div>'


def note(connection: duckdb.DuckDBPyConnection, picture: Picture) -> str:
    """What stands below a picture: what its measures mean, and what it is filtered by."""
    meanings = [
        f"<code>{name}</code>: {_first_paragraph(text)}"
        for name, text in definitions(connection, picture).items()
    ]
    remark = [html.escape(picture.remark)] if picture.remark else []
    filtered = f"Filtered by {picture.filtered_by}."
    return f'<p class="note">{"<br>".join([*meanings, *remark, filtered])}</p>'


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of a picture for people to read: days without a time of day."""
    read = rows.copy()
    for column in read.select_dtypes("datetime"):
        read[column] = read[column].dt.strftime("%Y-%m-%d")
    return read


def _first_paragraph(text: str) -> str:
    """A description's first paragraph as HTML; what follows may be a table of Markdown."""
    paragraph = re.sub(r":$", ".", re.split(r"\n\s*\n|\n\|", text.strip())[0])
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(paragraph))


def definitions(connection: duckdb.DuckDBPyConnection, picture: Picture) -> dict[str, str]:
    """What the columns of a picture mean: {`mart.column`: its description in the marts}."""
    return {
        f"{mart}.{column}": text
        for mart, column in picture.measures
        if (text := _definition(connection, mart, column))
    }


def _definition(connection: duckdb.DuckDBPyConnection, mart: str, column: str) -> str | None:
    """What `dim_metric` says of a measure; the column's comment for what is no measure."""
    found = connection.execute(
        """
        select concat_ws(' ', formula, nullif(edge_rules, '')), unit
        from dim_metric
        where mart_name = $mart and metric_name = $column

        union all

        select comment, null
        from duckdb_columns()
        where
            database_name = 'published' and table_name = $mart and column_name = $column
        limit 1
        """,
        {"mart": mart, "column": column},
    ).fetchone()
    if not found:
        return None
    text, unit = found
    return f"{text} ({unit})" if unit else text


def what_it_speaks_for(connection: duckdb.DuckDBPyConnection) -> str:
    """As of when, from which sources, and since when it is published, as one sentence."""
    as_of, sources, published_at = connection.execute(
        "select as_of, sources, published_at from publication"
    ).fetchone()
    when = f"{as_of:%Y-%m-%d %H:%M} UTC" if as_of else "no extract"
    return (
        f"As of {when} · from {sources or 'nothing'} · published {published_at:%Y-%m-%d %H:%M} UTC"
    )


def what_is_missing(project: Project) -> str:
    """What the pictures of a project cannot know; empty when nothing is missing."""
    if project.coverage is None:
        return "This project has no stories."
    if project.coverage > 0.995:
        return ""
    return (
        f"The whole history of states is known for {project.coverage:.0%} of the stories. "
        "Cycle times, flow and rework leave the others out or know them in part: see Data quality."
    )
