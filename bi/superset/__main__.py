"""Create the dashboard in Superset: `python -m bi.superset --url http://localhost:8088`.

Running it again updates what it created; other objects in Superset are not changed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

from bi.published import PublishedCopy, PublishedError
from bi.superset.client import Superset, SupersetError
from bi.superset.content import DASHBOARD, DATABASE, SLUG, Content, DataSet, layout, project_filter
from ingest.run.settings import SettingsError, marts_path


def main(arguments: list[str] | None = None) -> int:
    """Create everything and run each chart. Returns the exit code: 0, or 1 if anything failed."""
    options = _parser().parse_args(arguments)
    password = os.environ.get("SUPERSET_PASSWORD")
    if not password:
        print("error: SUPERSET_PASSWORD is not set", file=sys.stderr)
        return 1
    try:
        copy = PublishedCopy(marts_path())
        path = options.path or str(copy.path)
        superset = Superset(options.url, options.username, password)
        rows = make(superset, copy, path, Content())
    except (SettingsError, PublishedError, SupersetError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for question, count in rows.items():
        print(f"{count:6,} rows  {question}")
    print(f"{options.url.rstrip('/')}/superset/dashboard/{SLUG}/")
    return 0


def make(superset: Superset, copy: PublishedCopy, path: str, content: Content) -> dict[str, int]:
    """Create or update the connection, data sets, charts and dashboard.

    Args:
        superset: the Superset instance.
        copy: the published copy; its comments become the descriptions in Superset.
        path: the path of the same file on Superset's host.
        content: what to create.

    Returns:
        {title of a chart: number of rows that Superset returns for it}.
    """
    database = superset.put("database", _database(path), database_name=DATABASE)
    ids = {each.mart: _put_data_set(superset, copy, database, each) for each in content.data_sets}
    # The dashboard comes first, because charts refer to it.
    head = {"dashboard_title": DASHBOARD, "slug": SLUG, "published": True}
    dashboard = superset.put("dashboard", head, slug=SLUG)
    charts = []
    for chart in content.charts:
        data_set = ids[chart.mart]
        body = {
            "slice_name": chart.question,
            "viz_type": chart.viz_type,
            "datasource_id": data_set,
            "datasource_type": "table",
            "params": json.dumps(chart.form(data_set)),
            "query_context": json.dumps(chart.query(data_set)),
            "dashboards": [dashboard],
        }
        key: dict[str, str | int] = {"slice_name": chart.question, "datasource_id": data_set}
        charts.append((superset.put("chart", body, **key), chart))
    chart_ids = [chart_id for chart_id, _ in charts]
    choice = project_filter(ids["rpt_project_overview"], chart_ids)
    positions = layout(charts)
    metadata = {"native_filter_configuration": [choice], "positions": positions}
    body = head | {
        "json_metadata": json.dumps(metadata),
        "position_json": json.dumps(positions),
    }
    superset.call("PUT", f"dashboard/{dashboard}", body)
    return {chart.question: _row_count(superset, chart_id) for chart_id, chart in charts}


def _database(path: str) -> dict[str, Any]:
    engine = {"connect_args": {"read_only": True}}
    return {
        "database_name": DATABASE,
        "sqlalchemy_uri": f"duckdb:///{path}",
        "expose_in_sqllab": True,
        "extra": json.dumps({"engine_params": engine}),
    }


def _put_data_set(superset: Superset, copy: PublishedCopy, database: int, data_set: DataSet) -> int:
    """Create or refresh the data set, then set its descriptions and metrics."""
    made = superset.find("dataset", table_name=data_set.mart, database=database)
    if made is None:
        body = {"database": database, "schema": "main", "table_name": data_set.mart}
        made = superset.call("POST", "dataset/", body)["id"]
    else:
        superset.call("PUT", f"dataset/{made}/refresh")
    known = superset.call("GET", f"dataset/{made}")["result"]
    description, comments = _comments(copy, data_set.mart)
    body = {
        "description": description,
        "main_dttm_col": data_set.time_column,
        "columns": [
            {
                "id": column["id"],
                "column_name": column["column_name"],
                "description": comments.get(column["column_name"]),
            }
            for column in known["columns"]
        ],
        "metrics": _metrics(known["metrics"], data_set.metrics),
    }
    superset.call("PUT", f"dataset/{made}", body)
    return made


def _metrics(known: list[dict[str, Any]], wanted: dict[str, str]) -> list[dict[str, Any]]:
    """The wanted metrics and those added by users, because unlisted metrics would be deleted."""
    ids = {metric["metric_name"]: metric["id"] for metric in known}
    kept = [
        {name: metric[name] for name in ("id", "metric_name", "expression", "verbose_name")}
        for metric in known
        if metric["metric_name"] not in wanted
    ]
    return kept + [
        {"metric_name": name, "expression": expression} | ({"id": ids[name]} if name in ids else {})
        for name, expression in wanted.items()
    ]


def _comments(copy: PublishedCopy, mart: str) -> tuple[str | None, dict[str, str]]:
    with copy.connect() as connection:
        table = connection.execute(
            "select comment from duckdb_tables() where database_name = 'published' "
            "and table_name = ?",
            [mart],
        ).fetchone()
        if table is None:
            raise PublishedError(f"{copy.path} has no {mart}; run make build")
        columns = connection.execute(
            "select column_name, comment from duckdb_columns() "
            "where database_name = 'published' and table_name = ?",
            [mart],
        ).fetchall()
    return table[0], dict(columns)


def _row_count(superset: Superset, chart: int) -> int:
    return superset.call("GET", f"chart/{chart}/data/")["result"][0]["rowcount"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bi.superset",
        description="Create data sets, charts and a dashboard for the published marts in Superset "
        "(which needs duckdb-engine). The password is read from SUPERSET_PASSWORD.",
    )
    parser.add_argument("--url", default="http://localhost:8088", help="default: %(default)s")
    parser.add_argument("--username", default="admin", help="default: %(default)s")
    parser.add_argument(
        "--path", metavar="FILE", help="path of marts.duckdb on Superset's host (default: local)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
