"""The command line of ingestion: `python -m ingest [api|demo]`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ingest.api.client import TrackerClient, login
from ingest.api.errors import TrackerError
from ingest.api.resources import ApiOptions, ApiReader
from ingest.pipeline import SourceKind, run
from ingest.report import Progress, RunSummary
from ingest.settings import (
    ROOT,
    SettingsError,
    TrackerSettings,
    load_settings,
    warehouse_path,
)
from ingest.warehouse import WarehouseError

_EXAMPLES = """\
examples:
  python -m ingest                      the API when a token is configured, else the demo
  python -m ingest demo                 a simulated workspace; needs no account
  python -m ingest api --project 101 --project 102
  WAREHOUSE_PATH=other.duckdb python -m ingest api --full

settings: [sources.pivotal_tracker_source] in .dlt/secrets.toml (see secrets.toml.example), or
environment variables such as SOURCES__PIVOTAL_TRACKER_SOURCE__API_TOKEN.
exit codes: 0 done, 1 failed or a project could not be read, 2 wrong usage.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one ingestion as the command line asks, and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        settings = load_settings()
        kind = _choose(options.source, settings)
        path = warehouse_path()
        if kind == "demo":
            summary = _load_demo(path, options)
        else:
            summary = _load_api(settings, path, options)
    except (SettingsError, TrackerError, WarehouseError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted; the warehouse is as it was", file=sys.stderr)
        return 1
    print("\n".join(summary.lines(next_command=_next_command())))
    return 1 if summary.failed_project_ids else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ingest",
        description="Load Pivotal Tracker data into the warehouse (WAREHOUSE_PATH).",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "source",
        nargs="?",
        choices=["api", "demo"],
        help="what to read; by default the API when a token is configured, else the demo",
    )
    parser.add_argument(
        "--project",
        type=int,
        action="append",
        metavar="ID",
        help="read only this project; can be given several times",
    )
    parser.add_argument(
        "--full", action="store_true", help="read everything again, whatever was loaded before"
    )
    parser.add_argument(
        "--wait",
        type=float,
        default=0,
        metavar="SECONDS",
        help="wait this long for another run to finish (default: 0)",
    )
    return parser


def _choose(source: str | None, settings: TrackerSettings) -> SourceKind:
    if source:
        return "demo" if source == "demo" else "api"
    if settings.has_credentials:
        print(f"Reading the API at {settings.base_url}: a token is configured.")
        return "api"
    print("Reading the demo workspace: no api_token is configured (see .dlt/secrets.toml.example).")
    return "demo"


def _load_api(settings: TrackerSettings, path: Path, options: argparse.Namespace) -> RunSummary:
    if not settings.has_credentials:
        raise SettingsError(
            "no api_token is configured; put it into .dlt/secrets.toml (see secrets.toml.example) "
            "or into SOURCES__PIVOTAL_TRACKER_SOURCE__API_TOKEN"
        )
    token = settings.api_token or login(
        settings.base_url, settings.username or "", settings.password or ""
    )
    project_ids = options.project or settings.chosen_project_ids()
    return _load(settings, settings.base_url, str(token), project_ids, "api", path, options)


def _load_demo(path: Path, options: argparse.Namespace) -> RunSummary:
    # The simulation is only needed here; a reader of real data does not wait for its import.
    from ingest.demo import serve, simulate

    with serve(simulate()) as server:
        return _load(
            TrackerSettings(),
            server.base_url,
            server.token,
            options.project,
            "demo",
            path,
            options,
        )


def _load(
    settings: TrackerSettings,
    base_url: str,
    token: str,
    project_ids: list[int] | None,
    kind: SourceKind,
    path: Path,
    options: argparse.Namespace,
) -> RunSummary:
    with (
        Progress() as progress,
        TrackerClient(
            base_url,
            token,
            max_in_flight=settings.max_in_flight,
            requests_per_second=settings.requests_per_second,
        ) as client,
    ):
        reader = ApiReader(
            client,
            project_ids=project_ids,
            options=ApiOptions(
                history_days=settings.history_days,
                cycle_time_details=settings.cycle_time_details,
            ),
            progress=progress.add,
        )
        source_name = "the demo workspace" if kind == "demo" else base_url
        return run(reader, kind, source_name, path, wait_seconds=options.wait)


def _next_command() -> str:
    is_active = os.environ.get("VIRTUAL_ENV") == str(ROOT / ".venv")
    return "dbt build" if is_active else "make build"


if __name__ == "__main__":
    sys.exit(main())
