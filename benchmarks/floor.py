"""The floor of a first load: the same pages by bare parallel HTTP, loaded by DuckDB's read_json.

Run as a process of its own: `python -m benchmarks.floor BASE_URL TOKEN PATHS_FILE FOLDER`.
No retries, no declared schema, no state, no merge: what no loader can be faster than.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import requests

_IN_FLIGHT = 8  # as many as the reader's default


def main() -> None:
    """Fetch every page, keep the bodies per resource, and load each resource's files."""
    base_url, token, paths_file, folder = sys.argv[1:]
    paths = Path(paths_file).read_text().splitlines()
    files = fetch(base_url, token, paths, Path(folder))
    load(files, Path(folder) / "floor.duckdb")


def fetch(base_url: str, token: str, paths: list[str], folder: Path) -> dict[str, list[Path]]:
    """Write each answer's body into a file of its own; return the files by resource."""
    parts = urlsplit(base_url)
    host = f"{parts.scheme}://{parts.netloc}"
    session = requests.Session()
    session.headers["X-TrackerToken"] = token
    session.mount(host, requests.adapters.HTTPAdapter(pool_maxsize=_IN_FLIGHT))

    def fetch_one(numbered: tuple[int, str]) -> tuple[str, Path]:
        number, path = numbered
        body = session.get(host + path, timeout=60).content
        target = folder / f"{number}.json"
        target.write_bytes(body)
        return resource_of(path), target

    files: dict[str, list[Path]] = defaultdict(list)
    with ThreadPoolExecutor(_IN_FLIGHT) as pool:
        for resource, target in pool.map(fetch_one, enumerate(paths)):
            files[resource].append(target)
    return files


def resource_of(path: str) -> str:
    """The list that a path asks for: `/projects/7/stories?limit=1` is `stories`."""
    words = [word for word in urlsplit(path).path.split("/") if word and not word.isdigit()]
    return re.sub(r"\W", "_", words[-1])


def load(files: dict[str, list[Path]], database: Path) -> None:
    """Load each resource's files into one table."""
    with duckdb.connect(str(database)) as connection:
        for resource, paths in files.items():
            connection.execute(
                f"create table {resource} as select * from read_json("
                "?, union_by_name = true, maximum_object_size = 200000000)",
                [[str(path) for path in paths]],
            )


if __name__ == "__main__":
    main()
