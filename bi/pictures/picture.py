"""A picture: a question, the rows that answer it, the answer in words, and a chart.

The dashboard and the report have the same pictures. A picture's SQL reads the published marts by
their unqualified names. Its parameters are the user's filters: `$project_id` (bigint),
`$first_date` and `$last_date` (dates in the project's time zone), `$story_types` (a list of text),
`$label_id`, `$owner_id` and `$iteration_number` (bigint, null for all). A picture follows the
filters that occur in its SQL.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from bi.published import rows_of

Row = dict[str, Any]
Spec = dict[str, Any]

_PARAMETER = re.compile(r"\$(\w+)")
STORY_TYPES = ("feature", "bug", "chore")

# The stories that match the filters, without and with deleted ones. Use one of these as the first
# CTE of a query.
CHOSEN_AND_DELETED_STORIES = """
chosen_stories as (
    select
        story_id,
        story_name,
        story_type,
        current_state,
        is_deleted,
        owner_names,
        estimate,
        created_at,
        accepted_at,
        accepted_date
    from dim_story
    where
        project_id = $project_id
        and story_type in (select unnest($story_types))
        and (
            $label_id is null
            or story_id in (
                select story_id from bridge_story_label where label_id = $label_id
            )
        )
        and (
            $owner_id is null
            or story_id in (
                select story_id from bridge_story_owner where person_id = $owner_id
            )
        )
)
"""
CHOSEN_STORIES = CHOSEN_AND_DELETED_STORIES.replace(
    "where\n", "where\n        not is_deleted and", 1
)


ENOUGH = 5  # values that a percentile, median or correlation requires, as in the marts


def percentile(column: str, share: float, where: str = "true") -> str:
    """The SQL of a percentile of a column, which is null if there are too few values."""
    return (
        f"case when count({column}) filter (where {where}) >= {ENOUGH} "
        f"then quantile_disc({column}, {share}) filter (where {where}) end"
    )


@dataclass(frozen=True)
class Choice:
    """The user's filters.

    Attributes:
        project_id: Tracker's id of the project.
        first_date: the first day, in the project's time zone.
        last_date: the last day.
        story_types: the story types.
        label_id: only stories with this label; None for all.
        owner_id: only stories of this owner; None for all.
        iteration_number: the iteration on the page of a single iteration; None for the current one.
    """

    project_id: int
    first_date: date
    last_date: date
    story_types: tuple[str, ...] = STORY_TYPES
    label_id: int | None = None
    owner_id: int | None = None
    iteration_number: int | None = None

    def parameters(self, names: set[str]) -> dict[str, object]:
        """The values of these parameters, for DuckDB."""
        values = vars(self) | {"story_types": list(self.story_types)}
        return {name: values[name] for name in names}


@dataclass(frozen=True)
class Picture:
    """A question and its answer.

    Attributes:
        name: its name in addresses and tests.
        question: the title.
        definition: an explanation of the picture, with units.
        measures: the columns behind it, as (mart, column), for users who write queries.
        sql: a query on the published marts; its rows are also the picture's table.
        answer: creates the answer in one sentence from rows and facts.
        draw: creates a Vega-Lite chart from rows and facts; None if the picture is only a table.
        facts_sql: a query with one row of figures about all rows, for `draw` and `answer`.
        empty: the message if there are no rows, and what to do about it.
        is_wide: whether it has the full width of the page, like tables.
    """

    name: str
    question: str
    definition: str
    measures: tuple[tuple[str, str], ...]
    sql: str
    answer: Callable[[list[Row], Row], str]
    draw: Callable[[list[Row], Row], Spec] | None = None
    facts_sql: str = ""
    empty: str = "There is nothing to show. Choose a longer period or fewer filters."
    is_wide: bool = False

    @property
    def parameters(self) -> set[str]:
        """The names of the parameters in its queries."""
        return set(_PARAMETER.findall(self.sql + self.facts_sql))

    def rows(self, connection: duckdb.DuckDBPyConnection, choice: Choice) -> list[Row]:
        """The rows that answer the question."""
        return _rows(connection, self.sql, choice)

    def facts(self, connection: duckdb.DuckDBPyConnection, choice: Choice) -> Row:
        """The figures about all rows; empty if there is no query for them."""
        return _rows(connection, self.facts_sql, choice)[0] if self.facts_sql else {}


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, choice: Choice) -> list[Row]:
    return rows_of(connection, sql, **choice.parameters(set(_PARAMETER.findall(sql))))


@dataclass(frozen=True)
class Page:
    """Pictures that belong together.

    Attributes:
        name: its name in addresses.
        title: its title.
        pictures: its pictures, in order.
        is_listed: whether it is in the navigation.
    """

    name: str
    title: str
    pictures: tuple[Picture, ...]
    is_listed: bool = True

    @property
    def filters(self) -> list[str]:
        """The filters that all pictures of the page follow; the page offers only these."""
        common = set.intersection(*(each.parameters for each in self.pictures))
        return [
            name
            for name, parameter in (
                ("dates", "first_date"),
                ("types", "story_types"),
                ("label", "label_id"),
                ("owner", "owner_id"),
            )
            if parameter in common
        ]
