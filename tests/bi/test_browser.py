"""The pages in a real browser: they render, fit, react, and show the marts' numbers."""

import json
import os
import re
import shutil
import subprocess
import sys
import time

import duckdb
import pytest
import requests

from bi.pictures import PAGES
from bi.report import main as write_report
from tests.conftest import ROOT, dbt, environment
from tests.support.servers import free_port

BROWSER = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(name))
    ),
    None,
)
pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed: make browser does it"),
    pytest.mark.xdist_group("built warehouse"),
]
SCREENSHOTS = ROOT / "screenshots"
MOBILE_APP = 2600003
# As root in a container; and without the calls that a browser makes home at its start.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
WIDTHS = {"wide": 1280, "narrow": 390}
HEIGHT = 1400


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=ARGUMENTS)
        yield browser
        browser.close()


class Visit:
    """A page in the browser, with what it complained of and whom it asked."""

    def __init__(self, browser, width="wide", scheme="light"):
        self.context = browser.new_context(
            viewport={"width": WIDTHS[width], "height": HEIGHT}, color_scheme=scheme
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(90_000)
        self.complaints, self.hosts = [], set()
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.hosts.add(re.split(r"[/?]+", request.url)[1]))

    def _note(self, message):
        if message.type == "error":
            self.complaints.append(message.text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()

    def narrow_to(self, width):
        self.page.set_viewport_size({"width": WIDTHS[width], "height": HEIGHT})

    def overflow(self):
        """How many pixels the page is wider than the screen."""
        return self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )

    def marks(self, kind):
        """What the marks of a kind say, such as 'Iteration: 3; Points: 5', in all pictures."""
        found = self.page.locator(f'[aria-roledescription="{kind}"]')
        found.first.wait_for(state="attached")
        return found.evaluate_all("marks => marks.map(mark => mark.getAttribute('aria-label'))")

    def shot(self, name):
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")


@pytest.fixture(scope="module")
def dashboard(published):
    """Where the dashboard is served, as `make dashboard` does it."""
    port = free_port()
    command = ["bi.serve", "--headless", "--no-token", f"--port={port}"]
    server = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=environment(published.path.parent / "warehouse.duckdb", MARTS_PATH=str(published.path)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while True:
        try:
            requests.get(url, timeout=5)
            break
        except requests.ConnectionError:
            assert server.poll() is None, "the dashboard ended"
            assert time.monotonic() < deadline, "the dashboard did not start"
            time.sleep(0.2)
    yield url
    server.terminate()
    server.wait(timeout=20)


@pytest.fixture(scope="module")
def report(published, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    before = dict(os.environ)
    os.environ["MARTS_PATH"] = str(published.path)
    try:
        assert write_report(["--output", str(path)]) == 0
    finally:
        os.environ.clear()
        os.environ.update(before)
    return path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_of_the_dashboard_renders_and_fits(browser, dashboard, page):
    with Visit(browser, scheme="dark" if page.name == "flow" else "light") as visit:
        visit.page.goto(f"{dashboard}/?page={page.name}&project={MOBILE_APP}")
        last = page.pictures[-1].question
        visit.page.get_by_role("heading", name=last).wait_for()
        visit.page.locator("svg.marks").first.wait_for()
        for width in WIDTHS:
            visit.narrow_to(width)
            visit.page.wait_for_timeout(500)
            questions = visit.page.locator("h2").all_inner_texts()
            visit.shot(f"dashboard-{page.name}-{width}")
            assert questions == [picture.question for picture in page.pictures]
            assert visit.overflow() == 0
        assert visit.page.get_by_text("This cell raised an exception").count() == 0
        assert visit.complaints == []
        assert {host.partition(":")[0] for host in visit.hosts} <= {"127.0.0.1"}


def test_the_numbers_of_the_bars_are_the_marts(browser, dashboard, published):
    with published.connect() as connection:
        expected = connection.execute(
            "select dim_iteration.iteration_number, cast(accepted_points as double) "
            "from fct_iteration_velocity inner join dim_iteration using (iteration_key) "
            "where dim_iteration.project_id = ? "
            "and start_date >= date '2025-04-30' - 365",
            [MOBILE_APP],
        ).fetchall()
    with Visit(browser) as visit:
        visit.page.goto(f"{dashboard}/?page=velocity&project={MOBILE_APP}")
        bars = visit.marks("bar")
    shown = {}
    for bar in bars:
        told = dict(part.split(": ", 1) for part in bar.split("; "))
        if "Accepted points" in told:
            shown[int(told["Iteration"])] = float(told["Accepted points"])
    assert shown == dict(expected)


def test_filters_change_what_is_drawn(browser, dashboard):
    with Visit(browser) as visit:
        visit.page.goto(f"{dashboard}/?page=cycle-time&project={MOBILE_APP}")
        before = visit.marks("circle")
        visit.page.get_by_label("Owner").select_option(index=1)
        narrowed = changed(visit, "circle", before)
        assert set(narrowed) < set(before)

        visit.page.get_by_label("Project").select_option(label="Checkout")
        visit.page.get_by_role("heading", name="Checkout", exact=True).wait_for()
        other = changed(visit, "circle", narrowed)
        assert not set(other) & set(before)
        assert "project=2600007" in visit.page.url


def changed(visit, kind, before):
    """The marks, once they are others."""
    for _ in range(300):
        marks = visit.marks(kind)
        if marks != before:
            return marks
        visit.page.wait_for_timeout(100)
    raise AssertionError("nothing changed")


def test_a_point_links_to_its_story(browser, dashboard, published):
    with published.connect() as connection:
        urls = {
            url
            for (url,) in connection.execute(
                "select url from dim_story where project_id = ?", [MOBILE_APP]
            ).fetchall()
        }
    with Visit(browser) as visit:
        visit.page.goto(f"{dashboard}/?page=cycle-time&project={MOBILE_APP}")
        visit.marks("circle")
        visit.context.route("**/story/show/*", lambda route: route.fulfill(body="the story"))
        with visit.context.expect_page() as opened:
            visit.page.locator('[aria-roledescription="circle"]').last.click()
        opened.value.wait_for_url("**/story/show/*")
        assert opened.value.url in urls


@pytest.mark.parametrize("width", WIDTHS)
def test_the_report_opens_without_network(browser, report, width):
    with Visit(browser, width) as visit:
        visit.context.set_offline(True)
        visit.page.goto(report.as_uri())
        visit.page.locator("svg.marks").first.wait_for()
        visit.shot(f"report-{width}")
        questions = visit.page.locator("h3").all_inner_texts()
        assert questions == [each.question for page in PAGES for each in page.pictures]
        assert visit.overflow() == 0
        assert visit.complaints == []


def test_the_report_changes_with_the_project_and_shows_the_marts(browser, report, published):
    with Visit(browser) as visit:
        visit.page.goto(report.as_uri())
        visit.page.get_by_label("Project").select_option(label="Mobile App")
        assert visit.page.locator("h1").inner_text() == "Mobile App"
        visit.page.locator("#velocity summary").first.click()
        cells = visit.page.locator("#velocity ~ section table, section#velocity table")
        first_row = cells.first.locator("tbody tr").first.locator("td").all_inner_texts()
    with published.connect() as connection:
        expected = connection.execute(
            "select iteration_number, velocity from fct_iteration_velocity "
            "where project_id = ? and iteration_number = ?",
            [MOBILE_APP, int(first_row[0])],
        ).fetchone()
    assert int(first_row[0]) == expected[0]
    assert (int(float(first_row[3])) if first_row[3] else None) == expected[1]


def test_the_data_of_the_report_cannot_end_its_script(report):
    text = report.read_text()
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert len(json.loads(data[1])) == 8


HOSTILE = (
    '</script><script>document.title = "pwned"</script><!-- <script> --><!-- VEGA --><!-- DATA -->'
    '<img src=x onerror="document.title = 1"> {{ 7*7 }} ${1} $& \\1 \u2028 '
    "[a](javascript:alert(1)) é"
)


@pytest.fixture(scope="module")
def hostile(published, tmp_path_factory):
    """A copy in which every name, title and comment is an attack."""
    path = tmp_path_factory.mktemp("hostile") / "renamed.duckdb"
    shutil.copy(published.path, path)
    with duckdb.connect(str(path)) as connection:
        texts = connection.execute(
            "select table_name, column_name from duckdb_columns() where data_type = 'VARCHAR' "
            "and column_name in ('project_name', 'story_name', 'person_name', 'label_name', "
            "'epic_name', 'release_name', 'owner_names', 'label_names', 'comment_text', 'url', "
            "'sources', 'source_name', 'evidence', 'task_description', 'blocker_description')"
        ).fetchall()
        for table, column in texts:
            value = "javascript:document.title=1" if column == "url" else f"{column} {HOSTILE}"
            connection.execute(f'update "{table}" set "{column}" = ?', [value])
    return path


def test_the_report_treats_every_text_as_text(browser, hostile, tmp_path, monkeypatch):
    monkeypatch.setenv("MARTS_PATH", str(hostile))
    path = tmp_path / "report.html"
    assert write_report(["--output", str(path)]) == 0
    assert path.stat().st_size < 20e6
    with Visit(browser) as visit:
        visit.page.goto(path.as_uri())
        visit.page.locator("svg.marks").first.wait_for()
        assert visit.page.locator("h1").inner_text().startswith("project_name </script>")
        assert visit.page.title() == "Pivotal Tracker report"
        assert visit.page.locator("img, iframe, a[href^=javascript]").count() == 0
        assert visit.complaints == []


def test_the_docs_site_renders_offline(browser, built_warehouse, tmp_path):
    # The build's own artifacts, as `make docs` finds them; it also compiles all models anew.
    shutil.copytree(built_warehouse.parent / "target", tmp_path / "target")
    generate = ["docs", "generate", "--static", "--no-compile"]
    made = dbt(*generate, warehouse=built_warehouse, artifacts=tmp_path)
    assert made.returncode == 0, made.stdout
    with Visit(browser) as visit:
        visit.context.set_offline(True)
        visit.page.goto((tmp_path / "target" / "static_index.html").as_uri())
        visit.page.get_by_role("heading", name="Pivotal Tracker, as a warehouse").wait_for()
        visit.shot("docs-wide")
        visit.page.get_by_role("link", name="fct_story_cycle_time").first.click()
        visit.page.get_by_text("cycle_time_seconds").first.wait_for()
