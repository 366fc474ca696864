"""README and docs/ are correct: commands and names exist, and the output is real."""

import json
import re
import subprocess
from collections import Counter

import duckdb
import pytest

from ingest.tables import TABLES
from tests.conftest import ROOT, ingest

README = (ROOT / "README.md").read_text()
PAGES = {
    path: path.read_text()
    for path in sorted([ROOT / "README.md", ROOT / "AGENTS.md", *(ROOT / "docs").glob("*.md")])
}
TEXT = "\n".join(PAGES.values())


def blocks(language):
    """The contents of the code blocks in a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def output(name):
    """The text block with the output called `name`."""
    return re.search(rf"<!-- output: {name} -->\n```text\n(.*?)```", README, re.DOTALL)[1]


def make_targets():
    return set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.fixture(scope="module")
def connection(built_warehouse):
    with duckdb.connect(str(built_warehouse), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def test_every_named_make_target_exists():
    named = set(re.findall(r"\bmake ([a-z]+)\b", "\n".join([*blocks("sh"), *inline_code()])))
    assert named <= make_targets()
    assert {"ingest", "build", "warehouse", "test", "docs"} <= named


def inline_code():
    return re.findall(r"`([^`\n]+)`", TEXT)


def test_make_without_a_target_prints_all_targets():
    printed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^make ([a-z-]+) ", printed, re.MULTILINE)) == make_targets()


def test_every_command_of_ingestion_is_accepted(tmp_path):
    commands = [code for code in inline_code() if code.startswith("python -m ingest ")]
    assert commands
    help_text = ingest("--help", warehouse=tmp_path / "w.duckdb").stdout
    for command in commands:
        for word in command.split()[3:]:
            assert word.isdigit() or word.endswith("/") or word in help_text, command


def test_exactly_the_marts_are_listed(connection):
    marts = {
        name
        for (name,) in connection.execute(
            "select table_name from information_schema.tables where table_schema = 'marts'"
        ).fetchall()
    }
    catalogue = (ROOT / "docs" / "marts.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` \|", catalogue, re.MULTILINE)) == marts
    mentioned = {code for code in inline_code() if re.match(r"(fct|dim|bridge|rpt)_\w+$", code)}
    assert mentioned <= marts


def test_the_query_gives_the_displayed_result(connection):
    (statement,) = [block for block in blocks("sql") if block.startswith("select")]
    cursor = connection.execute(statement)
    header = [column[0] for column in cursor.description]
    rows = [[cell(value) for value in row] for row in cursor.fetchall()]
    shown = [re.split(r"\s{2,}", line.strip()) for line in output("query").splitlines()]
    assert shown == [header, *rows]


def cell(value):
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def test_the_displayed_row_counts_equal_the_demos(connection):
    shown = dict(re.findall(r"^  (\w+) +([\d,]+)$", output("ingest"), re.MULTILINE))
    of_archives = {"people", "attachments", "rejected_rows", "archive_files"}
    on_request = {"history_days", "cycle_time_details"}
    assert set(shown) == set(TABLES) - of_archives - on_request - {"extracts"}
    for table, rows in shown.items():
        (stored,) = connection.execute(
            f"select count(*) from pivotal_tracker_data.{table}"
        ).fetchone()
        assert stored == int(rows.replace(",", "")), table


def test_the_displayed_build_resembles_a_full_build(built_warehouse):
    """Its counts change with each mart, so they need only be approximate; the result is exact."""
    results = json.loads((built_warehouse.parent / "target" / "run_results.json").read_text())
    statuses = Counter(
        result["status"]
        for result in results["results"]
        if not result["unique_id"].startswith("unit_test.")  # users build without them
    )
    passed = statuses["pass"] + statuses["success"]
    assert statuses.keys() <= {"pass", "success", "no-op"}
    form = r"^Done\. PASS=(\d+) WARN=0 ERROR=0 SKIP=0 NO-OP=(\d+) TOTAL=(\d+)$"
    shown, others, total = map(int, re.search(form, output("build"), re.MULTILINE).groups())
    assert shown + others == total
    assert shown == pytest.approx(passed, rel=0.1)


def test_every_named_raw_table_exists(connection):
    named = re.findall(r"pivotal_tracker_data\.(\w+)", TEXT)
    assert named
    assert set(named) <= set(TABLES)


LINKING = [*PAGES, *(ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md", "DECISIONS.md"))]


@pytest.mark.parametrize("page", LINKING, ids=lambda path: str(path.relative_to(ROOT)))
def test_linked_files_exist(page):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_readme_is_short_and_links_to_every_page():
    assert len(README.split()) <= 1500
    linked = set(
        re.findall(r"\]\((?!https?:|#)([^)#]+)", TEXT + (ROOT / "CONTRIBUTING.md").read_text())
    )
    assert {path.name for path in PAGES} - {"README.md"} <= {
        link.rpartition("/")[2] for link in linked
    }
