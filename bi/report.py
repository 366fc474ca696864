"""Write the dashboard's pictures to one HTML file that works offline: `python -m bi.report`."""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import json
import sys
from typing import Any

import duckdb

from bi import answers
from bi.page import page, part, vega
from bi.pictures import PAGES
from bi.published import PublishedCopy, PublishedError
from ingest.run.settings import ROOT, SettingsError, marts_path

# More rows would be too many to scroll through; the marts have the complete tables.
_MAX_TABLE_ROWS = 2000
# More stories would make the file too large to send. The pages of these take about 2 MB.
_MAX_STORIES = 5000


def report(connection: duckdb.DuckDBPyConnection, project_ids: list[int] | None = None) -> str:
    """The report as HTML: every picture of the given projects, by default of all projects.

    Raises:
        PublishedError: if a project is not in the published copy, or the copy has no projects.
    """
    start = answers.start(connection)
    known = {each["project_id"] for each in start["projects"]}
    missing = set(project_ids or []) - known
    if missing:
        raise PublishedError(f"project {min(missing)} was not published; see dim_project")
    start["projects"] = [
        each for each in start["projects"] if not project_ids or each["project_id"] in project_ids
    ]
    if not start["projects"]:
        raise PublishedError("no project was published; load one, then make build")
    # The keys are the requests that the page's script would send to the server.
    responses = {"start": start}
    for project in start["projects"]:
        choice = answers.choice(connection, {"project": str(project["project_id"])})
        for each in PAGES:
            for picture in each.pictures:
                request = f"picture?name={picture.name}&project={project['project_id']}"
                responses[request] = answers.picture(
                    connection, picture, choice, with_table=True, max_rows=_MAX_TABLE_ROWS
                )
    contained = [each["project_id"] for each in start["projects"]]
    story_ids = [
        story_id
        for (story_id,) in connection.execute(
            "select story_id from dim_story where project_id in (select unnest(?)) order by 1",
            [contained],
        ).fetchall()
    ]
    stories: dict[str, Any] = {}
    if len(story_ids) <= _MAX_STORIES:
        stories["pages"] = answers.stories(connection, story_ids)
        stories["searched"] = answers.searched(connection, contained)
    scripts = [part("app.js"), vega()]
    policy = (
        f"default-src 'none'; script-src {' '.join(_hash(each) for each in scripts)} "
        "'unsafe-eval'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )
    return page(
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<style>{part('style.css')}</style>",
        f'<script type="application/json" id="data">{_as_script(responses)}</script>\n'
        f'<script type="text/plain" id="stories">{_compressed(stories)}</script>\n'
        + "\n".join(f'<script type="module">{each}</script>' for each in scripts),
    )


def _hash(text: str) -> str:
    """The hash of a script, as the content security policy lists allowed scripts."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _as_script(data: dict[str, Any]) -> str:
    """JSON without `<`, so that it can contain neither `</script>` nor a comment."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _compressed(data: dict[str, Any]) -> str:
    """Compressed JSON in base64; empty without data."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode())).decode() if data else ""


def main(arguments: list[str] | None = None) -> int:
    """Write the report. Returns the exit code: 0, or 1 if it could not be written."""
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
        help="only this project; can be repeated (default: all)",
    )
    parser.add_argument(
        "-o", "--output", default="report.html", metavar="FILE", help="default: report.html"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
