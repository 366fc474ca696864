"""A picture: a question, the rows that answer it, and how they are drawn.

The dashboard and the report show the same pictures. A picture's SQL reads the published marts by
their bare names and takes what the reader chose as parameters: `$project_id` (bigint),
`$first_date` and `$last_date` (days in the project's zone), `$story_types` (a list of text),
`$label_id` and `$owner_id` (bigint, null for all). What it names is what it is filtered by.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date

import altair as alt
import duckdb
import pandas as pd

from bi.published import PublishedError

_PARAMETER = re.compile(r"\$(\w+)")
_FILTER_NAMES = {
    "project_id": "project",
    "first_date": "dates",
    "story_types": "story type",
    "label_id": "label",
    "owner_id": "owner",
}

# The stories that the reader chose; put it in front of a query as its first CTE.
CHOSEN_STORIES = """
chosen_stories as (
    select *
    from dim_story
    where
        project_id = $project_id
        and not is_deleted
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


@dataclass(frozen=True)
class Choice:
    """What a reader chose to look at.

    Attributes:
        project_id: Tracker's id of the project.
        first_date: the first day shown, in the project's zone.
        last_date: the last one.
        story_types: the types shown.
        label_id: only stories with this label; None for all.
        owner_id: only stories of this person; None for all.
    """

    project_id: int
    first_date: date
    last_date: date
    story_types: tuple[str, ...]
    label_id: int | None = None
    owner_id: int | None = None

    def parameters(self, names: set[str]) -> dict[str, object]:
        """The values of the named parameters, as DuckDB takes them."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values["story_types"] = list(self.story_types)
        return {name: values[name] for name in names}


@dataclass(frozen=True)
class Picture:
    """A question and its answer.

    Attributes:
        name: its name in addresses and tests.
        question: the title.
        measures: the columns that it shows, as (mart, column); their definitions stand below it.
        sql: a query of the published marts; its rows are also the table behind the picture.
        draw: makes the chart of the rows; None for a picture that is the table itself.
        empty: what to say when there are no rows.
        remark: what else a reader must know of how it is drawn.
    """

    name: str
    question: str
    measures: tuple[tuple[str, str], ...]
    sql: str
    draw: Callable[[pd.DataFrame], alt.Chart | alt.LayerChart] | None
    empty: str = "There is nothing to show for this choice."
    remark: str = ""

    @property
    def parameters(self) -> set[str]:
        """The names of the parameters in the query."""
        return set(_PARAMETER.findall(self.sql))

    @property
    def filtered_by(self) -> str:
        """What of the reader's choice counts in this picture, as text."""
        named = [name for key, name in _FILTER_NAMES.items() if key in self.parameters]
        return ", ".join(named)

    def rows(self, connection: duckdb.DuckDBPyConnection, choice: Choice) -> pd.DataFrame:
        """The rows that answer the question; days as midnights without a zone.

        Raises:
            PublishedError: when the copy was published by a build without these marts.
        """
        try:
            return connection.execute(self.sql, choice.parameters(self.parameters)).df()
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            reason = str(error).splitlines()[0]
            raise PublishedError(f"{self.name} cannot be shown: {reason}; run make build") from None


@dataclass(frozen=True)
class Page:
    """Pictures that belong together.

    Attributes:
        name: its name in addresses.
        title: what the reader sees.
        pictures: in the order of the page.
    """

    name: str
    title: str
    pictures: tuple[Picture, ...]
