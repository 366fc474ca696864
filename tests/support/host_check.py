"""Load from a misbehaving host, and describe what went wrong."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import signal
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import duckdb

from ingest.api.http.client import ClientSettings, TrackerClient
from ingest.pipeline import make_pipeline
from ingest.tables import TABLES
from tests.conftest import ingest
from tests.support.misbehaving import CORRUPTED, TOKEN, UNAFFECTED, Behaviour, MisbehavingHost
from tests.support.scripted import ScriptedServer

RAW = "pivotal_tracker_data"
MOST_SECONDS = 120
MOST_BYTES = 450 * 1024 * 1024
# Waits and limits short enough for a test.
SHORT_TIMEOUTS = {
    "timeout": (5, 3),
    "answer_seconds": 4,
    "max_attempts": 3,
    "most_answer_bytes": 48 * 1024 * 1024,
    "most_records": 10_000,
}
_CONTROL_CHARACTERS = re.compile(r"[^\n\t\x20-\x7e\xa0-\u2027\u202f-\u2065\u206a-\U0010ffff]")


class TooSlow(Exception):
    """A load exceeded the time limit."""


def findings(behaviour: Behaviour, folder: Path, correct_rows: dict[str, dict]) -> list[str]:
    """Load twice, while the host misbehaves and after it is cured, and return the problems found.

    Args:
        behaviour: the misbehaviour.
        folder: an empty folder.
        correct_rows: the expected rows, by table and key.
    """
    path = folder / "w.duckdb"
    host = MisbehavingHost(behaviour)
    found: list[str] = []
    with ScriptedServer(host) as server:
        finished = _load(path, server, found)
        found += _outcome(behaviour, finished, host)
        found += _leaks(finished, folder, path)
        if behaviour.fails != "run" and path.exists():
            found += _rows(behaviour, path, correct_rows)
        host.cure()
        again = ["--full"] if behaviour.fails in ("nothing", "list") else []
        finished = _load(path, server, found, *again)
        if finished.returncode:
            found.append(f"the next load fails: {finished.stderr[-300:]}")
        elif path.exists():
            found += _differences(correct_rows, rows(path), "after the next load")
    shutil.rmtree(Path(make_pipeline(path).pipelines_dir), ignore_errors=True)
    return found


def load_correct_rows(folder: Path) -> dict[str, dict]:
    """The rows loaded from a well-behaved host."""
    path, found = folder / "w.duckdb", []
    with ScriptedServer(MisbehavingHost()) as server:
        assert _load(path, server, found).returncode == 0
    assert found == []
    return rows(path)


def rows(path: Path) -> dict[str, dict]:
    """The rows of each table by key, without tables and columns about loading itself."""
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        found = {}
        for name, table in TABLES.items():
            if name in ("extracts", "rejected_rows"):
                continue
            columns = ", ".join(f'"{each}"' for each in [*table.key, *table.columns])
            each = connection.execute(f"select {columns} from {RAW}.{name}").fetchall()
            found[name] = {row[: len(table.key)]: row for row in each}
        return found


def _load(path, server, found, *arguments):
    with short_waits(**SHORT_TIMEOUTS), _within_bounds(found):
        return ingest(
            "api", "--json", *arguments, warehouse=path, api_token=TOKEN, base_url=server.base_url
        )


@contextlib.contextmanager
def short_waits(**waits):
    """Replace the client of the command line by one with waits short enough for a test."""

    class ImpatientClient(TrackerClient):
        def __init__(self, base_url, token=None, settings=None):
            super().__init__(base_url, token, replace(settings or ClientSettings(), **waits))

    with (
        mock.patch("ingest.api.http.client.TrackerClient", ImpatientClient),
        mock.patch("ingest.api.http.client._BACKOFF", return_value=0.01),
    ):
        yield


@contextlib.contextmanager
def _within_bounds(found):
    """Record a problem if the block takes too much time or memory."""

    def stop(*_):
        found.append(f"it takes more than {MOST_SECONDS} s")
        raise TooSlow

    before = peak = _memory()
    ended = threading.Event()

    def watch():
        nonlocal peak
        while not ended.wait(0.02):
            peak = max(peak, _memory())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    signal.signal(signal.SIGALRM, stop)
    signal.alarm(MOST_SECONDS)
    try:
        with contextlib.suppress(TooSlow):
            yield
    finally:
        signal.alarm(0)
        ended.set()
        watcher.join()
    if peak - before > MOST_BYTES:
        found.append(f"it takes {(peak - before) / 1e6:.0f} MB")


def _memory():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def _outcome(behaviour, finished, host):
    expected_code = 0 if behaviour.fails == "nothing" else 1
    if finished.returncode != expected_code:
        yield f"exit code {finished.returncode}, not {expected_code}: {finished.stderr[-300:]}"
    output = finished.stdout + finished.stderr
    for words in ("this is a bug", "Traceback"):
        if words in output:
            yield f"{words!r}: {finished.stderr[-300:]}"
    if host.requests_count > 390:
        yield f"{host.requests_count} requests"
    if host.corrupted_count == 0:
        yield "no response was corrupted"
    errors = [line for line in finished.stderr.splitlines() if line.startswith("error: ")]
    if behaviour.fails == "run" and len(errors) != 1:
        yield f"{len(errors)} lines of error"
    try:
        outcome = json.loads(finished.stdout)
    except ValueError:
        yield f"no JSON: {finished.stdout[:200]!r}"
        return
    failed = [CORRUPTED] if behaviour.fails == "project" else []
    if outcome["failed_project_ids"] != failed:
        yield f"failed projects {outcome['failed_project_ids']}, not {failed}: {output[-300:]}"
    text = json.dumps(outcome, ensure_ascii=False)
    for part in behaviour.messages:
        if part not in text:
            yield f"it does not say {part!r}: {text[-600:]}"
    if failed and "project 101" not in text:
        yield "the project is not named"


def _leaks(finished, folder, path):
    texts = {"the terminal": finished.stdout + finished.stderr}
    for log in folder.rglob("*.log"):
        texts["the log"] = log.read_text()
    for name, text in texts.items():
        if TOKEN in text:
            yield f"the token is in {name}"
        if signs := set(_CONTROL_CHARACTERS.findall(text)):
            yield f"control characters are in {name}: {signs}"
    if not path.exists():
        return
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute(
            "select table_name from information_schema.tables where table_schema = ?", [RAW]
        ).fetchall()
        for (name,) in tables:
            if TOKEN in str(connection.execute(f'from {RAW}."{name}"').fetchall()):
                yield f"the token is in {name}"


def _rows(behaviour, path, correct_rows):
    loaded = rows(path)
    for name, expected in correct_rows.items():
        missing = expected.keys() - loaded[name].keys()
        # After a list fails, the rest of its project is not read.
        allowed = behaviour.missing.get(name, -1 if behaviour.fails == "project" else 0)
        others = [key for key in missing if _is_of_unaffected_project(name, expected[key])]
        if others and behaviour.fails != "list":
            yield f"{name}: rows of project {UNAFFECTED} are missing: {sorted(others)[:3]}"
        if allowed >= 0 and len(missing) != allowed:
            yield f"{name}: {len(missing)} rows are missing, not {allowed}"
        different = [
            key
            for key in expected.keys() & loaded[name].keys()
            if expected[key] != loaded[name][key] and _is_of_unaffected_project(name, expected[key])
        ]
        if different:
            yield f"{name}: rows of project {UNAFFECTED} differ: {different[:3]}"
    yield from _rejections(behaviour, path)
    yield from _clock(behaviour, path)


def _is_of_unaffected_project(name, row):
    names = [*TABLES[name].key, *TABLES[name].columns]
    column = "id" if name == "projects" else "project_id"
    return column in names and row[names.index(column)] == UNAFFECTED


def _rejections(behaviour, path):
    with duckdb.connect(str(path), read_only=True) as connection:
        rejected = connection.sql(f"from {RAW}.rejected_rows").to_arrow_table().to_pylist()
    for column, reason in behaviour.rejected:
        if not any(
            column in (each["column_name"] or "") and reason in each["reason"] and "/" in str(each)
            for each in rejected
        ):
            yield f"no rejected row for {column} {reason}: {rejected}"
    if not behaviour.rejected and rejected:
        yield f"rejected: {rejected[:2]}"


def _clock(behaviour, path):
    with duckdb.connect(str(path), read_only=True) as connection:
        ((as_of,),) = connection.execute(f"select epoch(max(as_of)) from {RAW}.extracts").fetchall()
    is_local = abs(datetime.fromtimestamp(as_of, UTC) - datetime.now(UTC)) < timedelta(hours=1)
    if is_local != behaviour.is_late:
        yield f"as_of is {datetime.fromtimestamp(as_of, UTC)}"


def _differences(correct_rows, loaded, when):
    for name, expected in correct_rows.items():
        lost = expected.keys() - loaded[name].keys()
        more = loaded[name].keys() - expected.keys()
        different = [
            key
            for key in expected.keys() & loaded[name].keys()
            if expected[key] != loaded[name][key]
        ]
        if lost or more or different:
            yield f"{name} {when}: {len(lost)} lost, {len(more)} more, {len(different)} differ"
