"""The content to create in Superset: data sets with metrics, and the dashboard's charts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

DATABASE = "Pivotal Tracker marts"
DASHBOARD = "Pivotal Tracker"
SLUG = "pivotal-tracker"
FILTER_COLUMN = "project_name"  # every data set has it
_MONTH = "P1M"


@dataclass(frozen=True)
class DataSet:
    """A published mart as a data set in Superset.

    Attributes:
        mart: the table.
        time_column: the column for the time axis; None if there is none.
        metrics: {name: aggregate in DuckDB's SQL}, available in every chart.
    """

    mart: str
    time_column: str | None
    metrics: dict[str, str]


@dataclass(frozen=True)
class Chart:
    """A chart of one data set.

    Attributes:
        question: its title.
        viz_type: Superset's name for the kind of chart.
        mart: its data set.
        width: its width in columns; the dashboard has twelve.
        metrics: the names of metrics of the data set.
        columns: the columns that rows or colours represent.
        x_axis: the time column on the horizontal axis, by month; empty for a table.
        filters: (column, operator, value) conditions for all rows.
        order_by: (metric or column, ascending).
        y_title: the title of the vertical axis, with its unit.
    """

    question: str
    viz_type: str
    mart: str
    width: int
    metrics: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    x_axis: str = ""
    filters: tuple[tuple[str, str, Any], ...] = ()
    order_by: tuple[str, bool] | None = None
    y_title: str = ""
    row_limit: int = 1000

    def form(self, data_set_id: int) -> dict[str, Any]:
        """The chart's settings, as Superset's chart editor would save them."""
        form: dict[str, Any] = {
            "datasource": f"{data_set_id}__table",
            "viz_type": self.viz_type,
            "adhoc_filters": [_adhoc_filter(*each) for each in self.filters],
            "row_limit": self.row_limit,
        }
        if self.viz_type == "table" and not self.metrics and self.order_by:
            order = [f'["{self.order_by[0]}", {str(self.order_by[1]).lower()}]']
            return form | {
                "query_mode": "raw",
                "all_columns": list(self.columns),
                "order_by_cols": order,
            }
        form |= {"groupby": list(self.columns), "metrics": list(self.metrics)}
        if not self.x_axis:
            return form | {"query_mode": "aggregate", "order_desc": True}
        return form | {
            "x_axis": self.x_axis,
            # By month, because iterations of different projects rarely end on the same day.
            "time_grain_sqla": _MONTH,
            "stack": "Stack" if self.viz_type.endswith("_bar") else None,
            "markerEnabled": True,
            "y_axis_title": self.y_title,
            "y_axis_title_margin": 40,
            "show_legend": True,
            "rich_tooltip": True,
        }

    def query(self, data_set_id: int) -> dict[str, Any]:
        """The chart's query, so that Superset can run the chart before anyone has opened it."""
        columns: list[Any] = list(self.columns)
        if self.x_axis:
            columns.insert(0, _axis(self.x_axis))
        return {
            "datasource": {"id": data_set_id, "type": "table"},
            "force": False,
            "queries": [
                {
                    "columns": columns,
                    # Without grouping the key must be absent, or Superset returns no rows.
                    **({"metrics": list(self.metrics)} if self.metrics else {}),
                    "filters": [
                        {"col": col, "op": op, "val": val} for col, op, val in self.filters
                    ],
                    "orderby": [list(self.order_by)] if self.order_by else [],
                    "row_limit": self.row_limit,
                }
            ],
            "form_data": self.form(data_set_id),
            "result_format": "json",
            "result_type": "full",
        }


def _axis(column: str) -> dict[str, Any]:
    return {
        "columnType": "BASE_AXIS",
        "expressionType": "SQL",
        "label": column,
        "sqlExpression": column,
        "timeGrain": _MONTH,
    }


def _adhoc_filter(column: str, operator: str, value: object) -> dict[str, Any]:
    return {
        "clause": "WHERE",
        "expressionType": "SIMPLE",
        "subject": column,
        "operator": operator,
        "comparator": value,
    }


@dataclass(frozen=True)
class Content:
    """Everything to create, in the order of the dashboard."""

    data_sets: tuple[DataSet, ...] = field(
        default=(
            DataSet(
                "rpt_project_overview",
                None,
                {
                    "velocity": "max(current_velocity)",
                    "stories accepted": "sum(accepted_story_count)",
                },
            ),
            DataSet(
                "rpt_velocity",
                "last_date",
                {"velocity": "avg(velocity)", "volatility": "avg(velocity_volatility)"},
            ),
            DataSet(
                "rpt_iteration",
                "last_date",
                {
                    "points accepted": "sum(accepted_points)",
                    "stories rejected": "sum(rejected_story_count)",
                    "share rejected": "sum(rejected_story_count) * 1.0 "
                    "/ nullif(sum(history_known_rejectable_story_count), 0)",
                },
            ),
            DataSet(
                "rpt_cycle_time",
                "accepted_date",
                {
                    "stories": "count(*)",
                    "median days": "quantile_cont(cycle_time_seconds, 0.5) / 86400.0",
                    "85 % within days": "quantile_disc(cycle_time_seconds, 0.85) / 86400.0",
                },
            ),
            DataSet("dim_story", "created_at", {"stories": "count(*)", "points": "sum(estimate)"}),
        )
    )
    charts: tuple[Chart, ...] = field(
        default=(
            Chart(
                "How fast is each project, and what is done?",
                "table",
                "rpt_project_overview",
                4,
                metrics=("velocity", "stories accepted"),
                columns=("project_name",),
            ),
            Chart(
                "How much does each month deliver?",
                "echarts_timeseries_bar",
                "rpt_iteration",
                8,
                metrics=("points accepted",),
                columns=("project_name",),
                x_axis="last_date",
                filters=(("is_done", "==", True),),
                y_title="points of the iterations that end in it",
            ),
            Chart(
                "Is the velocity steady?",
                "echarts_timeseries_line",
                "rpt_velocity",
                6,
                metrics=("velocity",),
                columns=("project_name",),
                x_axis="last_date",
                y_title="velocity (points), mean of the month",
            ),
            Chart(
                "How long does a story take?",
                "echarts_timeseries_line",
                "rpt_cycle_time",
                6,
                metrics=("median days", "85 % within days"),
                x_axis="accepted_date",
                filters=(("cycle_time_seconds", "IS NOT NULL", None),),
                y_title="cycle time (days), by month of acceptance",
            ),
            Chart(
                "How much comes back from acceptance?",
                "echarts_timeseries_bar",
                "rpt_iteration",
                6,
                metrics=("stories rejected",),
                columns=("project_name",),
                x_axis="last_date",
                filters=(("is_done", "==", True),),
                y_title="accepted stories that were rejected before",
            ),
            Chart(
                "What is in progress, and whose is it?",
                "table",
                "dim_story",
                6,
                columns=("project_name", "story_name", "current_state", "owner_names", "url"),
                filters=(("is_in_progress", "==", True), ("is_deleted", "==", False)),
                order_by=("story_id", True),
            ),
        )
    )


def layout(charts: list[tuple[int, Chart]]) -> dict[str, Any]:
    """The dashboard's grid: charts side by side, up to twelve columns per row."""
    rows: list[list[tuple[int, Chart]]] = [[]]
    for chart_id, chart in charts:
        if sum(each.width for _, each in rows[-1]) + chart.width > 12:
            rows.append([])
        rows[-1].append((chart_id, chart))
    names = [f"ROW-{number}" for number in range(1, len(rows) + 1)]
    position: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "children": names, "parents": ["ROOT_ID"]},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": DASHBOARD}},
    }
    for name, row in zip(names, rows, strict=True):
        position[name] = {
            "type": "ROW",
            "id": name,
            "children": [f"CHART-{chart_id}" for chart_id, _ in row],
            "parents": ["ROOT_ID", "GRID_ID"],
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
        for chart_id, chart in row:
            position[f"CHART-{chart_id}"] = {
                "type": "CHART",
                "id": f"CHART-{chart_id}",
                "children": [],
                "parents": ["ROOT_ID", "GRID_ID", name],
                "meta": {
                    "chartId": chart_id,
                    "sliceName": chart.question,
                    "width": chart.width,
                    "height": 50,
                },
            }
    return position


def project_filter(data_set_id: int, chart_ids: list[int]) -> dict[str, Any]:
    """The dashboard's project filter, which applies to all charts."""
    return {
        "id": "NATIVE_FILTER-project",
        "name": "Project",
        "type": "NATIVE_FILTER",
        "filterType": "filter_select",
        "targets": [{"datasetId": data_set_id, "column": {"name": FILTER_COLUMN}}],
        "defaultDataMask": {"extraFormData": {}, "filterState": {}},
        "cascadeParentIds": [],
        "scope": {"rootPath": ["ROOT_ID"], "excluded": []},
        "chartsInScope": chart_ids,
        "controlValues": {"multiSelect": True, "enableEmptyFilter": False},
    }
