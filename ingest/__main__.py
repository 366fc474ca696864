"""The command line of ingestion: `python -m ingest [api|demo|archive PATH...]`."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Literal

from ingest.api.http.errors import TrackerError, one_line
from ingest.archive import ArchiveError, ArchiveOptions, ArchiveReader
from ingest.pipeline import run
from ingest.records import Drift, Rejections
from ingest.run.interpreter import prevent_pandas_import
from ingest.run.log import RunLog, run_log
from ingest.run.settings import (
    ROOT,
    SettingsError,
    TrackerSettings,
    load_settings,
    seconds,
)
from ingest.run.summary import Outcome, RunSummary
from ingest.source import SourceKind, api_reader
from ingest.warehouses.base import Warehouse, WarehouseError
from ingest.warehouses.configured import configured_warehouse

_log = logging.getLogger("ingest")

_EXAMPLES = """\
examples:
  python -m ingest                      the API if a token is configured, otherwise the demo
  python -m ingest demo                 a simulated workspace; no account needed
  python -m ingest api --project 101 --project 102
  python -m ingest archive export.zip dumps/ --project-name "Mobile App"
  python -m ingest files s3://bucket/prefix   copy files written with TARGET=files into DuckDB
  WAREHOUSE_PATH=other.duckdb python -m ingest api --full
  python -m ingest --wait 600 --json    for a scheduler

settings: [sources.pivotal_tracker_source] in .dlt/secrets.toml (see secrets.toml.example), or
environment variables such as SOURCES__PIVOTAL_TRACKER_SOURCE__API_TOKEN.
exit codes: 0 success; 1 the run failed, or could not read a project, a whole file, or any row of
the files; 2 wrong usage.
log: logs/ingest-<time>-<process>.log for the latest 20 runs (INGEST_LOG_PATH sets the folder).
--json: one line with exit_code, error, warehouse, source_kind, source_name, extract_mode,
rows_by_table, requests, retries, seconds, notes, skipped, failed_project_ids, drift, log; unknown
values are null, for example after an error.
"""
_EXPECTED = (ArchiveError, SettingsError, TrackerError, WarehouseError)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line. Returns the exit code."""
    options = _parsed(arguments)
    prevent_pandas_import()
    with run_log() as log:
        _log.info("python -m ingest %s", " ".join(sys.argv[1:] if arguments is None else arguments))
        outcome = _Run(options, log).outcome()
        _log.info("%s", outcome.as_json())
        _show(outcome, options.json, log)
    return outcome.exit_code


def _show(outcome: Outcome, as_json: bool, log: RunLog) -> None:
    if outcome.error:
        known = f" (log: {outcome.log})" if outcome.log else ""
        print(log.sanitised(f"error: {outcome.error}{known}"), file=sys.stderr)
    if as_json:
        print(log.sanitised(outcome.as_json()))
    elif outcome.summary:
        lines = outcome.summary.lines(next_command=_next_command())
        lines = [line.replace("\n", " ") for line in lines]
        print(log.sanitised("\n".join(lines)))
        if outcome.exit_code and outcome.log:
            failure = outcome.summary.failure or "not everything could be read"
            print(log.sanitised(f"error: {failure} (log: {outcome.log})"), file=sys.stderr)


class _Run:
    """One run with the options of the command line."""

    def __init__(self, options: argparse.Namespace, log: RunLog) -> None:
        self._options = options
        self._run_log = log
        self._kind: SourceKind | Literal["files"] | None = None
        self._warehouse: Warehouse | None = None

    def outcome(self) -> Outcome:
        """Run, and return how it ended; errors are caught."""
        started = time.monotonic()
        summary = error = None
        try:
            summary = self._load_chosen()
        except _EXPECTED as failure:
            error = str(failure)
        except KeyboardInterrupt:
            error = "interrupted; run it again to continue"
        except Exception as failure:
            _log.exception("unexpected")
            error = f"{type(failure).__name__}: {one_line(failure)}; this is a bug, report the log"
        failed = error is not None or bool(
            summary and (summary.failed_project_ids or summary.failure)
        )
        return Outcome(
            exit_code=1 if failed else 0,
            warehouse=self._warehouse.name if self._warehouse else None,
            source_kind=self._kind,
            seconds=time.monotonic() - started,
            log=self._run_log.path,
            error=error,
            summary=summary,
        )

    def _load_chosen(self) -> RunSummary:
        settings = load_settings()
        self._run_log.hide(
            settings.api_token, settings.password, f"{settings.username}:{settings.password}"
        )
        self._kind, reason = _choose(self._options.source, settings)
        if reason:
            print(reason, file=sys.stderr if self._options.json else sys.stdout)
        warehouse = self._warehouse = configured_warehouse()
        self._run_log.hide(*warehouse.secrets)
        if self._kind == "demo":
            return self._load_demo(settings, warehouse)
        if self._kind == "archive":
            return self._load_archive(settings, warehouse)
        if self._kind == "files":
            return self._copy_files(warehouse)
        return self._load_api(settings, warehouse)

    def _copy_files(self, warehouse: Warehouse) -> RunSummary:
        from ingest.warehouses.copy_from_files import copy
        from ingest.warehouses.duckdb.warehouse import DuckDBFile
        from ingest.warehouses.files.warehouse import files_warehouse

        if not isinstance(warehouse, DuckDBFile):
            raise SettingsError("files are copied into DuckDB only; unset WAREHOUSE_TARGET")
        files = files_warehouse(self._options.paths[0])
        self._run_log.hide(*files.secrets)
        return copy(files, warehouse, wait_seconds=self._options.wait)

    def _load_archive(self, settings: TrackerSettings, warehouse: Warehouse) -> RunSummary:
        paths = [Path(each) for each in self._options.paths]
        options = ArchiveOptions(
            project_name=self._options.project_name,
            time_zone=settings.time_zone,
            iteration_length=settings.iteration_length,
            week_start_day=settings.week_start_day,
            point_scale=settings.point_scale,
            date_order=settings.date_order,
            strict=self._options.strict,
        )
        drift = Drift(
            rejections=Rejections(settings.refused_rows), nested_levels=settings.nested_levels
        )
        reader = ArchiveReader(paths, options, drift)
        source_name = ", ".join(str(each) for each in paths)
        return run(reader, "archive", source_name, warehouse, wait_seconds=self._options.wait)

    def _load_api(self, settings: TrackerSettings, warehouse: Warehouse) -> RunSummary:
        settings.require_credentials()
        from ingest.api.http.client import ClientSettings, login

        token = settings.api_token or login(
            settings.base_url,
            settings.username or "",
            settings.password or "",
            ClientSettings(**settings.client_settings),
        )
        self._run_log.hide(token)
        return self._load(settings, settings.base_url, str(token), warehouse)

    def _load_demo(self, settings: TrackerSettings, warehouse: Warehouse) -> RunSummary:
        # Imported here, because only the demo needs the simulator.
        from simulator import serve, simulate

        with serve(simulate()) as server:
            chosen = TrackerSettings()
            for figures in ("history_days", "cycle_time_details", "iteration_analytics"):
                setattr(chosen, figures, getattr(settings, figures))
            return self._load(chosen, server.base_url, server.token, warehouse)

    def _load(
        self, settings: TrackerSettings, base_url: str, token: str, warehouse: Warehouse
    ) -> RunSummary:
        # Imported here, because reading files needs neither HTTP nor the progress display.
        from ingest.api.http.client import ClientSettings, TrackerClient
        from ingest.api.progress import Progress

        with (
            Progress() as progress,
            TrackerClient(base_url, token, ClientSettings(**settings.client_settings)) as client,
        ):
            reader = api_reader(
                client,
                settings,
                project_ids=self._options.project or settings.chosen_project_ids(),
                progress=progress.add,
                is_full=self._options.full,
            )
            kind: SourceKind = "demo" if self._kind == "demo" else "api"
            source_name = "the demo workspace" if kind == "demo" else base_url
            wait = self._options.wait
            summary = run(reader, kind, source_name, warehouse, wait_seconds=wait)
            return replace(summary, retries_count=client.retries_count)


def _choose(
    source: SourceKind | Literal["files"] | None, settings: TrackerSettings
) -> tuple[SourceKind | Literal["files"], str]:
    """The source to read, and the reason if it was not given on the command line."""
    if source:
        return source, ""
    if settings.has_credentials:
        return "api", f"Reading the API at {settings.base_url}: a token is configured."
    missing = "no api_token is configured (see .dlt/secrets.toml.example)"
    return "demo", f"Reading the demo workspace: {missing}."


def _parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = _parser()
    options = parser.parse_intermixed_args(arguments)
    if options.source == "archive" and not options.paths:
        parser.error("archive: give at least one file or folder")
    if options.source == "files" and len(options.paths) != 1:
        parser.error("files: give one folder or s3://bucket/prefix")
    if options.source not in ("archive", "files") and options.paths:
        parser.error("PATH is only for archive and files")
    if options.source != "archive" and (options.project_name or options.strict):
        parser.error("--project-name and --strict are only for archive")
    return options


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
        choices=["api", "demo", "archive", "files"],
        help="what to read; by default the API if a token is configured, otherwise the demo",
    )
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="archive: CSV exports, zips, JSON dumps, backups, or folders of these; "
        "files: the folder or s3://bucket/prefix with the raw tables",
    )
    parser.add_argument(
        "--project-name",
        metavar="NAME",
        help="archive: the project name for the CSV files",
    )
    parser.add_argument(
        "--strict", action="store_true", help="archive: load nothing if any row is refused"
    )
    parser.add_argument(
        "--project",
        type=int,
        action="append",
        metavar="ID",
        help="read only this project; can be repeated",
    )
    parser.add_argument("--full", action="store_true", help="read everything, not only changes")
    parser.add_argument(
        "--wait",
        type=seconds,
        default=0,
        metavar="SECONDS",
        help="how long to wait for another run, or for a program that has the warehouse open, to "
        "finish (default: 0)",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print the summary as one JSON object, and nothing else to standard output",
    )
    return parser


def _next_command() -> str:
    is_active = os.environ.get("VIRTUAL_ENV") == str(ROOT / ".venv")
    return "dbt build" if is_active else "make build"


if __name__ == "__main__":
    sys.exit(main())
