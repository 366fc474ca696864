"""The floor of a first load: the same pages by bare parallel HTTP, loaded by DuckDB's read_json.

Run as a process of its own: `python -m benchmarks.floor BASE_URL TOKEN PATHS_FILE FOLDER`.
No retries, no declared schema, no state, no merge: what no loader can be faster than.
"""

from __future__ import annotations

import re
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import duckdb
import orjson
import requests

_IN_FLIGHT = 8  # as many as the reader's default


def main() -> None:
    """Fetch every page, write its records as lines per resource, and load each resource's file."""
    base_url, token, paths_file, folder = sys.argv[1:]
    paths = Path(paths_file).read_text().splitlines()
    files = fetch(base_url, token, paths, Path(folder))
    load(files, Path(folder) / "floor.duckdb")


def fetch(base_url: str, token: str, paths: list[str], folder: Path) -> dict[str, Path]:
    """Write the records of all answers into one file a resource; return the files."""
    parts = urlsplit(base_url)
    host = f"{parts.scheme}://{parts.netloc}"
    session = requests.Session()
    session.headers["X-TrackerToken"] = token
    session.mount(host, requests.adapters.HTTPAdapter(pool_maxsize=_IN_FLIGHT))

    def fetch_one(path: str) -> object:
        return orjson.loads(session.get(host + path, timeout=60).content)

    files: dict[str, Path] = {}
    with ThreadPoolExecutor(_IN_FLIGHT) as pool, ExitStack() as stack:
        handles: dict[str, BinaryIO] = {}
        for path, answer in in_order(pool, fetch_one, paths):
            resource = resource_of(path)
            if resource not in files:
                files[resource] = folder / f"{resource}.jsonl"
                handles[resource] = stack.enter_context(files[resource].open("wb"))
            for record in answer if isinstance(answer, list) else [answer]:
                handles[resource].write(orjson.dumps(record) + b"\n")
    return files


def in_order(
    pool: ThreadPoolExecutor, fetch_one: Callable[[str], object], paths: list[str]
) -> Iterator[tuple[str, object]]:
    """Each path with its answer; a bounded number of answers waits to be written."""
    under_way: deque[tuple[str, Future]] = deque()
    for path in paths:
        under_way.append((path, pool.submit(fetch_one, path)))
        if len(under_way) == 2 * _IN_FLIGHT:
            path, answer = under_way.popleft()
            yield path, answer.result()
    for path, answer in under_way:
        yield path, answer.result()


def resource_of(path: str) -> str:
    """The list that a path asks for: `/projects/7/stories?limit=1` is `stories`."""
    words = [word for word in urlsplit(path).path.split("/") if word and not word.isdigit()]
    return re.sub(r"\W", "_", words[-1])


def load(files: dict[str, Path], database: Path) -> None:
    """Load each resource's file into one table.

    DuckDB infers the columns from all records: it refuses one whose field no sampled record had.
    """
    with duckdb.connect(str(database)) as connection:
        for resource, path in files.items():
            connection.execute(
                f"create table {resource} as select * from "
                "read_json(?, format = 'newline_delimited', sample_size = -1)",
                [str(path)],
            )


if __name__ == "__main__":
    main()
