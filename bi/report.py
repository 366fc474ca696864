"""The dashboard's pictures as one HTML file that opens without network: `python -m bi.report`."""

from __future__ import annotations

import argparse
import html
import json
import re
import sys
from pathlib import Path
from typing import Any

import duckdb
import vl_convert

from bi import shown
from bi.pictures import PAGES, look
from bi.pictures.picture import Choice, Picture
from bi.published import PublishedCopy, PublishedError
from ingest.run.settings import ROOT, SettingsError, marts_path

_TEMPLATE = Path(__file__).with_name("report.html")
# What a reader scrolls through; the whole table is in the marts.
_MOST_TABLE_ROWS = 2000


def report(connection: duckdb.DuckDBPyConnection, project_ids: list[int] | None = None) -> str:
    """The report as HTML: every picture of the chosen projects, by default of all.

    Raises:
        PublishedError: when a project is not in the published copy, or there is none at all.
    """
    projects = shown.projects(connection)
    missing = set(project_ids or []) - {each.project_id for each in projects}
    if missing:
        raise PublishedError(f"no project {min(missing)} was published; see dim_project")
    chosen = [each for each in projects if not project_ids or each.project_id in project_ids]
    if not chosen:
        raise PublishedError("no project was published; load one, then make build")
    parts = {
        "SPEAKS_FOR": html.escape(shown.what_it_speaks_for(connection)),
        "DATA": _as_script([_project(connection, each) for each in chosen]),
        "VEGA": vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"),
    }
    # In one pass: what one part holds is never taken for the place of another.
    return re.sub(
        f"<!-- ({'|'.join(parts)}) -->",
        lambda place: parts[place[1]],
        _TEMPLATE.read_text(encoding="utf-8"),
    )


def _project(connection: duckdb.DuckDBPyConnection, project: shown.Project) -> dict[str, Any]:
    choice = Choice(
        project.project_id, project.first_shown_date, project.last_date, shown.STORY_TYPES
    )
    return {
        "id": project.project_id,
        "name": project.name,
        "missing": shown.what_is_missing(project),
        "figures": shown.figures_as_html(connection, project.project_id),
        "pages": [
            {
                "name": page.name,
                "title": page.title,
                "pictures": [_picture(connection, each, choice) for each in page.pictures],
            }
            for page in PAGES
        ],
    }


def _picture(
    connection: duckdb.DuckDBPyConnection, picture: Picture, choice: Choice
) -> dict[str, Any]:
    rows = picture.rows(connection, choice)
    spec = None
    if picture.draw is not None and not rows.empty:
        spec = look.framed(picture.draw(rows)).to_dict()
    return {
        "name": picture.name,
        "question": picture.question,
        "empty": picture.empty,
        "note": shown.note(connection, picture),
        "spec": spec,
        "columns": list(rows.columns),
        "rows": json.loads(
            shown.table(rows).head(_MOST_TABLE_ROWS).to_json(orient="values", date_format="iso")
        ),
        "row_count": len(rows),
    }


def _as_script(data: list[dict[str, Any]]) -> str:
    """JSON without `<`, so that nothing in it ends its script element or begins a comment."""
    return json.dumps(data, separators=(",", ":"), default=str).replace("<", "\\u003c")


def main(arguments: list[str] | None = None) -> int:
    """Write the report; the exit code is 0, or 1 when there is nothing to write it from."""
    options = _parser().parse_args(arguments)
    path = (ROOT / options.output).resolve()
    try:
        with PublishedCopy(marts_path()).connect() as connection:
            text = report(connection, options.project)
        path.write_text(text, encoding="utf-8")
    except (SettingsError, PublishedError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {path} cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    print(f"Wrote {path} ({len(text) / 1e6:.1f} MB)")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bi.report",
        description="Write the pictures of the published marts as one HTML file.",
    )
    parser.add_argument(
        "--project",
        type=int,
        action="append",
        metavar="ID",
        help="only this project; can be given several times (default: all)",
    )
    parser.add_argument(
        "-o", "--output", default="report.html", metavar="FILE", help="default: report.html"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
