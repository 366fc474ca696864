"""The floor of a first load: fetch each list once, write its records as lines, load these.

Run as a separate process: `python -m benchmarks.floor PLAN FOLDER`, with a plan written by
`benchmarks.api`. It shares no code with ingestion and does only what is indispensable: it retries,
checks and merges nothing and trusts every total. The plan states the columns, so that DuckDB need
not detect them.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlencode, urlsplit

import duckdb
import orjson

Columns = dict[str, str]


@dataclass(frozen=True)
class Host:
    """The API to read, with the number of concurrent connections."""

    base_url: str
    token: str
    connections: int


class Fetcher:
    """Fetches pages and appends their records, one per line, to a file per table."""

    def __init__(self, host: Host, folder: Path) -> None:
        """Prepare to write into a folder."""
        self._url = urlsplit(host.base_url)
        self._headers = {"X-TrackerToken": host.token}
        self._folder = folder
        self._local = threading.local()
        self._locks: dict[str, threading.Lock] = {}
        self.files: dict[str, BinaryIO] = {}

    def get(self, path: str, params: dict[str, Any]) -> tuple[Any, http.client.HTTPMessage]:
        """Request a path on this thread's connection; return the parsed body and the headers."""
        if not hasattr(self._local, "connection"):
            netloc = self._url.netloc
            self._local.connection = http.client.HTTPConnection(netloc, timeout=60)
        target = f"{self._url.path}{path}?{urlencode(params)}"
        self._local.connection.request("GET", target, headers=self._headers)
        response = self._local.connection.getresponse()
        return orjson.loads(response.read()), response.headers

    def open(self, table: str) -> Path:
        """Create the file of a table."""
        path = self._folder / f"{table}.jsonl"
        self.files[table], self._locks[table] = path.open("wb"), threading.Lock()
        return path

    def fetch(self, table: str, path: str, params: dict[str, Any]) -> http.client.HTTPMessage:
        """Fetch one page into the file of its table."""
        answer, headers = self.get(path, params)
        records = answer if isinstance(answer, list) else [answer]
        lines = b"".join(orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE) for each in records)
        with self._locks[table]:
            self.files[table].write(lines)
        return headers


def main() -> None:
    """Fetch every list of the plan and load its file."""
    plan, folder = json.loads(Path(sys.argv[1]).read_bytes()), Path(sys.argv[2])
    columns = {each["table"]: each["columns"] for each in plan["lists"]}
    fetcher = Fetcher(Host(**plan["host"]), folder)
    paths = {table: fetcher.open(table) for table in columns}
    fetch_all(fetcher, plan)
    for each in fetcher.files.values():
        each.close()
    load(folder / "floor.duckdb", paths, columns)


def fetch_all(fetcher: Fetcher, plan: dict[str, Any]) -> None:
    """Fetch the first page of each list, then the further pages according to its total."""
    projects, *lists = plan["lists"]
    fetcher.fetch(projects["table"], projects["path"], _params(projects))
    found, _ = fetcher.get(projects["path"], {"fields": "id"})
    with ThreadPoolExecutor(plan["host"]["connections"]) as pool:
        first = {}
        for each in lists:
            project_ids = [project["id"] for project in found] if "{" in each["path"] else [None]
            for project_id in project_ids:
                request = (each["table"], each["path"].format(project_id=project_id), _params(each))
                first[pool.submit(fetcher.fetch, *request)] = request
        later = []
        for future in as_completed(first):
            table, path, params = first[future]
            total = int(future.result().get("X-Tracker-Pagination-Total") or 0)
            span = int(future.result().get("X-Tracker-Pagination-Limit") or total or 1)
            for offset in range(span, total, span):
                page = {**params, "limit": span, "offset": offset}
                later.append(pool.submit(fetcher.fetch, table, path, page))
        for each in later:
            each.result()


def _params(each: dict[str, Any]) -> dict[str, Any]:
    fields = {"fields": each["fields"]} if each["fields"] else {}
    return {**fields, **({"limit": each["page_size"], "offset": 0} if each["page_size"] else {})}


def load(database: Path, paths: dict[str, Path], columns: dict[str, Columns]) -> None:
    """Load the file of each table."""
    with duckdb.connect(str(database)) as connection:
        for table, path in paths.items():
            connection.execute(
                f"create table {table} as select * from read_json(?, columns = "
                f"{columns[table]}, format = 'newline_delimited')",
                [str(path)],
            )


if __name__ == "__main__":
    main()
