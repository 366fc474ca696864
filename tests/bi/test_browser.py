"""The pages in a real browser: they render, fit the screen, react, and show the marts' numbers."""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.parse

import duckdb
import pytest

from bi.pictures import PAGES
from bi.report import main as write_report
from tests.conftest import ROOT, dbt, environment

BROWSER = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(name))
    ),
    None,
)
pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="Chromium is not installed (make browser)"),
    pytest.mark.xdist_group("built warehouse"),
]
AXE = ROOT / "tests" / "bi" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
SCREENSHOTS = ROOT / "screenshots"
MOBILE_APP = 2600003
# To run as root in a container, without the browser's own requests at startup.
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
LISTED = [page for page in PAGES if page.is_listed]
# The fragment of each page's address.
ADDRESSES = {
    "projects": "",
    "search": "q=ticket",
    **{page.name: f"project={MOBILE_APP}&page={page.name}" for page in PAGES},
}


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=ARGUMENTS)
        yield browser
        browser.close()


class Visit:
    """A page in the browser, with its errors and requests."""

    def __init__(self, browser, width="wide", scheme="light"):
        self.context = browser.new_context(
            viewport={"width": WIDTHS[width], "height": HEIGHT}, color_scheme=scheme
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.complaints, self.hosts = [], set()
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.hosts.add(re.split(r"[/?]+", request.url)[1]))

    def _note(self, message):
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()

    def see_all(self):
        """Scroll through the page until every picture is drawn. Returns the number of charts."""
        self.page.wait_for_function(
            "document.querySelector('main[aria-busy=false]')?.dataset.address === location.hash"
        )
        for chart in self.page.locator(".chart").all():
            chart.scroll_into_view_if_needed()
            chart.locator("svg.marks").wait_for()
        self.page.evaluate("scrollTo(0, 0)")
        return self.page.locator(".chart").count()

    def overflow(self, selector="html"):
        """The pixels by which the widest of these elements is wider than its place."""
        return self.page.locator(selector).evaluate_all(
            "all => Math.max(0, ...all.map(each => each.scrollWidth - (each === "
            "document.documentElement ? each : each.parentElement).clientWidth))"
        )

    def marks(self, kind, where=""):
        """The labels of all marks of a kind, such as 'Iteration: 3; Points: 5'."""
        found = self.page.locator(f'{where} [aria-roledescription="{kind}"]')
        found.first.wait_for(state="attached")
        return found.evaluate_all("marks => marks.map(mark => mark.getAttribute('aria-label'))")

    def accessibility(self):
        """Serious or critical findings of axe, one line each; empty if axe is not installed."""
        if not AXE.exists():
            return []
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{each['id']}: {node['html'][:120]}"
            for each in found["violations"]
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"]
        ]

    def shot(self, name):
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


@pytest.fixture(scope="module")
def serve():
    """Serve a copy as by `make dashboard`. Returns its address up to the #."""
    servers = []

    def start(path):
        server = subprocess.Popen(
            [sys.executable, "-m", "bi.serve", "--no-browser", "--port=0"],
            cwd=ROOT,
            env=environment(path.parent / "warehouse.duckdb", MARTS_PATH=str(path)),
            stdout=subprocess.PIPE,
            text=True,
        )
        servers.append(server)
        return re.search(r"http://127.0.0.1:\d+/", server.stdout.readline())[0] + "#"

    yield start
    for server in servers:
        server.terminate()
        server.communicate(timeout=20)


@pytest.fixture(scope="module")
def dashboard(published, serve):
    return serve(published.path)


@pytest.fixture(scope="module")
def story_id(published):
    """A story with rows in many marts."""
    with published.connect() as connection:
        return connection.execute(
            "select story_id from dim_story where not is_deleted and task_count > 0 and story_id "
            "in (select story_id from fct_rejection) order by comment_count desc limit 1"
        ).fetchone()[0]


@pytest.fixture
def changed(published, tmp_path, serve):
    """Serve a copy changed by SQL statements."""

    def change(*statements):
        path = tmp_path / f"copy-{len(list(tmp_path.iterdir()))}.duckdb"
        shutil.copy(published.path, path)
        with duckdb.connect(str(path)) as connection:
            for statement in statements:
                connection.execute(statement)
        return serve(path)

    return change


def slow_unless(is_usual, *values):
    """Values of a test that `make test` runs only if they are usual, and CI always."""
    return pytest.param(*values, marks=() if is_usual else pytest.mark.slow)


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        slow_unless(
            (width, scheme) == ("wide", "light")
            or (
                (width, scheme) == ("narrow", "dark") and name in ("projects", "velocity", "story")
            ),
            name,
            width,
            scheme,
        )
        for name in [*ADDRESSES, "story"]
        for width in WIDTHS
        for scheme in ("light", "dark")
    ],
)
def test_every_page_renders_fits_and_is_accessible(
    browser, dashboard, story_id, name, width, scheme
):
    with Visit(browser, width, scheme) as visit:
        visit.page.goto(
            dashboard + (ADDRESSES.get(name) or (f"story={story_id}" * (name == "story")))
        )
        visit.see_all()
        visit.shot(f"{name}-{width}-{scheme}")
        expected_pictures = next((page.pictures for page in PAGES if page.name == name), ())
        questions = visit.page.locator(".card h2").all_inner_texts()
        if expected_pictures:
            assert questions == [picture.question for picture in expected_pictures]
            drawn = [picture for picture in expected_pictures if picture.draw]
            names = visit.page.locator("[role=graphics-document]").evaluate_all(
                "charts => charts.map(chart => chart.getAttribute('aria-label'))"
            )
            assert len(names) == len(drawn)
            for picture, description in zip(drawn, names, strict=True):
                assert description.startswith(picture.question)
        assert visit.overflow() == 0
        if width == "narrow":
            assert visit.overflow("table") == visit.overflow("tbody tr") == 0, "rows are cards"
        # Each width and each scheme once: structure does not depend on colours, nor these on width.
        if (width == "wide") == (scheme == "light"):
            assert visit.accessibility() == []
        assert visit.complaints == []
        assert {host.partition(":")[0] for host in visit.hosts} == {"127.0.0.1"}
        if width == "narrow":
            top = visit.page.locator("h1").bounding_box()["y"]
            assert top < 250, "the content is not at the top"


def test_the_numbers_of_the_bars_equal_the_marts(browser, dashboard, published):
    with published.connect() as connection:
        expected = connection.execute(
            "select dim_iteration.iteration_number, cast(accepted_points as double) "
            "from fct_iteration_velocity inner join dim_iteration using (iteration_key) "
            "where dim_iteration.project_id = ? and start_date >= date '2025-04-30' - 365",
            [MOBILE_APP],
        ).fetchall()
    with Visit(browser) as visit:
        visit.page.goto(dashboard + ADDRESSES["velocity"])
        bars = visit.marks("bar", "#velocity")
    points = {}
    for bar in bars:
        label = dict(part.split(": ", 1) for part in bar.split("; "))
        points[int(label["Iteration"])] = float(label["Points"])
    assert points == dict(expected)


def test_a_filter_changes_the_picture_and_the_address_and_going_back_undoes_both(
    browser, dashboard
):
    with Visit(browser) as visit:
        visit.page.goto(dashboard + ADDRESSES["cycle-time"])
        before = visit.marks("circle", "#cycle_time")
        answer = visit.page.locator("#cycle_time .answer")
        first = answer.inner_text()
        visit.page.get_by_label("Owner").select_option(index=1)
        visit.page.wait_for_function(
            "text => document.querySelector('#cycle_time .answer').innerText !== text", arg=first
        )
        assert re.search(r"owner=\d+", visit.page.url)
        narrowed = visit.marks("circle", "#cycle_time")
        assert set(narrowed) < set(before)

        link = visit.page.url
        visit.page.go_back()
        visit.page.wait_for_function(
            "text => document.querySelector('#cycle_time .answer').innerText === text", arg=first
        )
        assert visit.page.get_by_label("Owner").input_value() == ""

        visit.page.goto("about:blank")
        visit.page.goto(link)
        visit.page.reload()
        assert set(visit.marks("circle", "#cycle_time")) == set(narrowed)
        assert visit.page.get_by_label("Owner").input_value() != ""
        assert visit.complaints == []


@pytest.mark.parametrize(
    "control",
    [
        slow_unless(each in ("bug", "Owner"), each)
        for each in ("From", "To", "bug", "Label", "Owner")
    ],
)
def test_each_filter_has_an_effect_and_reset_undoes_it(browser, dashboard, control):
    with Visit(browser) as visit:
        visit.page.goto(dashboard + ADDRESSES["cycle-time"])
        visit.marks("circle", "#cycle_time")
        first = visit.page.locator("#cycle_time .answer").inner_text()
        place = visit.page.get_by_label(control, exact=True)
        if control in ("From", "To"):
            place.fill("2025-01-15")
        elif control == "bug":
            place.uncheck()
        else:
            visit.page.get_by_role("combobox", name=control, exact=True).select_option(index=2)
        visit.page.wait_for_function(
            "text => document.querySelector('#cycle_time .answer').innerText !== text", arg=first
        )
        visit.page.get_by_role("button", name="Reset").click()
        visit.page.wait_for_function(
            "text => document.querySelector('#cycle_time .answer').innerText === text", arg=first
        )


@pytest.mark.parametrize(
    "page",
    [slow_unless(page.name == "cycle-time", page) for page in PAGES],
    ids=lambda page: page.name,
)
def test_a_copied_link_gives_the_same_view_of_every_page(browser, dashboard, page):
    values = {
        "dates": ("from=2024-11-01", "to=2025-02-28"),
        "types": ("types=feature,bug",),
        "label": ("label={label}",),
        "owner": ("owner={owner}",),
    }

    def view(visit):
        visit.see_all()
        visit.page.wait_for_function(
            "[...document.querySelectorAll('.card .answer')].every(each => each.innerText.trim())"
        )
        controls = visit.page.locator("form [name]:not([name=types]), form [name=types]:checked")
        return (
            visit.page.locator("h1").inner_text(),
            visit.page.locator(".card .answer").all_inner_texts(),
            controls.evaluate_all("all => all.map(each => [each.name, each.value])"),
        )

    with Visit(browser) as visit:
        visit.page.goto(dashboard + ADDRESSES[page.name])
        whole = view(visit)
        ids = {
            name: visit.page.locator(f"select[name={name}] option").nth(1).get_attribute("value")
            for name in ("label", "owner")
            if name in page.filters
        }
        chosen = [each.format(**ids) for name in page.filters for each in values[name]]
        if page.name == "iteration":
            chosen = ["iteration=37"]
        link = "&".join([dashboard + ADDRESSES[page.name], *chosen])
        visit.page.goto(link)
        narrowed = view(visit)
        assert (narrowed != whole) == bool(chosen)
        visit.page.reload()
        assert view(visit) == narrowed
        visit.page.go_back()
        assert view(visit) == whole
    with Visit(browser) as visit:
        visit.page.goto(link)
        assert view(visit) == narrowed
        assert visit.complaints == []


def test_the_project_and_the_page_are_in_the_address(browser, dashboard):
    with Visit(browser) as visit:
        visit.page.goto(dashboard)
        visit.page.get_by_role("link", name="Mobile App").click()
        visit.page.get_by_role("heading", name="Mobile App: overview").wait_for()
        for page in LISTED[1:]:
            visit.page.get_by_role("link", name=page.title, exact=True).click()
            visit.page.get_by_role("heading", name=f"Mobile App: {page.title.lower()}").wait_for()
            assert f"page={page.name}" in visit.page.url
        visit.page.get_by_role("combobox", name="Project").select_option(label="Checkout")
        visit.page.get_by_role("heading", name="Checkout: set-up and data quality").wait_for()
        visit.page.go_back()
        visit.page.get_by_role("heading", name="Mobile App: set-up and data quality").wait_for()


def test_projects_sort_and_are_filtered_by_name(browser, dashboard):
    with Visit(browser) as visit:
        visit.page.goto(dashboard)
        names = visit.page.locator(".projects tbody td:first-child")
        names.first.wait_for()
        assert names.first.inner_text() == "Mobile App"
        visit.page.get_by_role("button", name="Project", exact=True).click()
        assert names.all_inner_texts() == sorted(names.all_inner_texts())
        visit.page.get_by_role("button", name="85 % cycle time").dblclick()
        times = visit.page.locator(".projects td[data-label='85 % cycle time']").all_inner_texts()
        unknown = times.count("–")
        assert 0 < unknown < len(times)
        assert times[-unknown:] == ["–"] * unknown, "unknown values come last when descending too"
        visit.page.get_by_role("button", name="Next release").dblclick()
        latest = visit.page.locator(".projects td[data-label='Next release']").first
        assert "late by" in latest.inner_text()
        visit.page.get_by_label("Name contains").fill("check")
        assert names.all_inner_texts() == ["Checkout"]


def test_percentages_in_charts_are_written_as_in_sentences(browser, dashboard):
    with Visit(browser) as visit:
        visit.page.goto(dashboard + ADDRESSES["rework"])
        visit.see_all()
        labels = visit.page.locator(".role-axis-label text").all_text_contents()
    assert "50\u00a0%" in labels
    assert not any(re.search(r"\d%", label) for label in labels)


def test_a_click_on_a_point_opens_its_story(browser, dashboard):
    with Visit(browser) as visit:
        visit.page.goto(dashboard + ADDRESSES["cycle-time"])
        visit.marks("circle", "#cycle_time")
        point = visit.page.locator('#cycle_time [aria-roledescription="circle"]').last
        point.hover()
        chart = visit.page.locator("#cycle_time .chart")
        assert chart.evaluate("chart => chart.style.cursor") == "pointer"
        name = re.search(r"Story: (.*?); Type", point.get_attribute("aria-label") or "")
        point.click()
        visit.page.wait_for_url("**story=*")
        visit.page.get_by_role("heading", name="State history").wait_for()
        if name:
            assert visit.page.locator("h1").inner_text() == name[1]


def test_a_story_is_found_by_search_and_opened_from_a_table(browser, dashboard, story_id):
    with Visit(browser) as visit:
        visit.page.goto(dashboard)
        visit.page.get_by_placeholder("Find a story").fill(str(story_id))
        visit.page.keyboard.press("Enter")
        visit.page.get_by_role("heading", name="1 story for").wait_for()
        visit.page.get_by_role("link", name=f"#{story_id}").click()
        visit.page.get_by_role("heading", name="Comments").wait_for()
        for title in ("Details", "Tasks", "Rejections"):
            assert visit.page.get_by_role("heading", name=title, exact=True).count() == 1
        visit.page.get_by_role("heading", name="Iterations", exact=True).wait_for()
        visit.page.locator("main a[href*='iteration=']").first.click()
        visit.page.get_by_role("heading", name="Will the iteration be completed?").wait_for()


def test_a_search_typed_while_the_page_loads_is_kept(browser, dashboard):
    with Visit(browser) as visit:
        delayed = []
        visit.page.route("**/api/**", lambda request: delayed.append(request))
        visit.page.goto(dashboard)
        field = visit.page.get_by_placeholder("Find a story")
        field.fill("login")
        visit.page.unroute("**/api/**")
        visit.see_all()
        assert delayed
        assert field.input_value() == "login"
        field.press("Enter")
        visit.page.get_by_role("heading", name=" for ").wait_for()
        visit.page.go_back()
        visit.see_all()
        assert field.input_value() == ""


def test_the_iteration_can_be_changed_step_by_step(browser, dashboard):
    with Visit(browser) as visit:
        visit.page.goto(dashboard + ADDRESSES["iteration"])
        first = visit.page.locator("#burn_up .answer")
        visit.page.wait_for_function("document.querySelector('#burn_up .answer')?.innerText.trim()")
        before = first.inner_text()
        visit.page.get_by_role("button", name="Earlier").click()
        visit.page.wait_for_function(
            "text => document.querySelector('#burn_up .answer').innerText !== text", arg=before
        )
        assert "iteration=38" in visit.page.url
        assert "when the iteration ended" in first.inner_text()
        visit.page.get_by_role("button", name="Later").click()
        visit.page.wait_for_function(
            "text => document.querySelector('#burn_up .answer').innerText === text", arg=before
        )


def test_the_table_behind_a_picture_sorts_and_downloads(browser, dashboard, tmp_path):
    with Visit(browser) as visit:
        visit.page.goto(dashboard + ADDRESSES["velocity"])
        visit.page.locator("#velocity summary", has_text="Table").click()
        cells = visit.page.locator("#velocity tbody tr td:first-child")
        cells.first.wait_for()
        visit.page.locator("#velocity th button").first.click()
        visit.page.locator("#velocity th button").first.click()
        numbers = [int(each) for each in cells.all_inner_texts()]
        assert numbers == sorted(numbers, reverse=True)
        with visit.page.expect_download() as download:
            visit.page.locator("#velocity").get_by_role("button", name="Download").click()
        download.value.save_as(tmp_path / "velocity.csv")
    lines = (tmp_path / "velocity.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith("iteration_number,start_date,accepted_points")
    assert len(lines) == len(numbers) + 1


def test_the_keyboard_reaches_the_content(browser, dashboard):
    with Visit(browser) as visit:
        visit.page.goto(dashboard + ADDRESSES["velocity"])
        visit.marks("bar", "#velocity")
        visit.page.locator("#skip").focus()
        visit.page.keyboard.press("Enter")
        assert visit.page.evaluate("document.activeElement.id") == "main"
        visit.page.locator("#velocity summary").first.focus()
        visit.page.keyboard.press("Enter")
        visit.page.get_by_text("fct_iteration_velocity.accepted_points").wait_for()


# ---- Empty, partial and wrong states.


def test_without_a_copy_the_page_says_what_to_do(browser, serve, tmp_path):
    with Visit(browser) as visit:
        visit.page.goto(serve(tmp_path / "nothing.duckdb"))
        visit.page.get_by_role("heading", name="There is nothing to show yet").wait_for()
        assert "make build" in visit.page.get_by_role("alert").inner_text()
        visit.shot("empty-no-copy")


@pytest.mark.slow
def test_a_copy_of_an_older_release_says_what_to_do(browser, changed):
    with Visit(browser) as visit:
        visit.page.goto(changed("drop table fct_forecast", "drop table fct_wip_aging"))
        visit.page.get_by_role("alert").wait_for()
        assert "run make build" in visit.page.get_by_role("alert").inner_text()


def test_dates_in_the_wrong_order_are_reported(browser, dashboard):
    with Visit(browser) as visit:
        visit.page.goto(f"{dashboard}{ADDRESSES['flow']}&from=2025-03-01&to=2025-02-01")
        visit.page.get_by_text("The first day, 1 Mar 2025, is after the last").wait_for()
        assert visit.page.locator("svg.marks").count() == 0


@pytest.mark.parametrize("address", ["project=1", f"project={MOBILE_APP}&page=x", "story=1"])
def test_an_unknown_address_is_reported(browser, dashboard, address):
    with Visit(browser) as visit:
        visit.page.goto(dashboard + address)
        visit.page.get_by_role("heading", name="This page cannot be displayed").wait_for()
        visit.page.get_by_role("link", name="All projects").first.click()
        visit.page.get_by_role("heading", name="All projects").wait_for()


WITHOUT_HISTORY = [
    "update fct_story_cycle_time set history_coverage = 'none', cycle_time_seconds = null, "
    "elapsed_cycle_time_seconds = null",
    "delete from fct_flow_efficiency",
    "delete from fct_iteration_scope",
    "delete from fct_iteration_burn_daily",
    "delete from fct_rejection",
    "update fct_iteration_velocity set say_do_ratio = null",
    "update rpt_data_coverage set history_known_story_count = 0, missing = 'transitions', "
    "remedies = 'Transitions: an export.'",
]


def test_a_project_from_a_csv_shows_lead_times_and_what_is_unknown(browser, changed):
    url = changed(*WITHOUT_HISTORY)
    with Visit(browser) as visit:
        visit.page.goto(url + ADDRESSES["cycle-time"])
        visit.marks("circle", "#lead_time")
        visit.page.locator(".note summary").click()
        assert "Transitions: an export." in visit.page.locator(".note").inner_text()
        assert "load the project's activities" in visit.page.locator("#cycle_time").inner_text()
        assert visit.page.locator("#cycle_time svg").count() == 0
        visit.shot("partial-csv")
        visit.page.goto(url + ADDRESSES["iterations"])
        visit.page.get_by_text("It needs the project's activities").first.wait_for()


@pytest.mark.slow
def test_values_that_are_all_unknown_leave_no_empty_frame_or_warning(browser, changed, published):
    with published.connect() as connection:
        columns = connection.execute(
            "select table_name, column_name from duckdb_columns() "
            "where database_name = 'published' and is_nullable and starts_with(table_name, 'fct_') "
            "and not ends_with(column_name, '_id') and not ends_with(column_name, '_key')"
        ).fetchall()
    url = changed(*(f'update "{table}" set "{column}" = null' for table, column in columns))
    with Visit(browser) as visit:
        for page in PAGES:
            visit.page.goto(url + ADDRESSES[page.name])
            visit.see_all()
            assert visit.complaints == [], page.name
            for chart in visit.page.locator(".chart").all():
                assert chart.locator(".mark-text, [aria-roledescription]").count(), page.name


@pytest.mark.slow
def test_a_narrow_page_shows_the_current_page_in_the_navigation(browser, dashboard):
    with Visit(browser, "narrow") as visit:
        for page in LISTED:
            visit.page.goto(dashboard + ADDRESSES[page.name])
            visit.see_all()
            place = visit.page.locator("#pages [aria-current]").bounding_box()
            assert 0 <= place["x"] < WIDTHS["narrow"] - 60, page.name


@pytest.mark.slow
def test_a_project_without_stories_says_so(browser, changed):
    url = changed(
        *(
            f"delete from {mart} where project_id = {MOBILE_APP}"
            for mart in ("dim_story", "fct_story_cycle_time", "fct_wip_aging", "fct_throughput")
        ),
        f"update rpt_project_overview set story_count = 0 where project_id = {MOBILE_APP}",
    )
    with Visit(browser) as visit:
        visit.page.goto(url + ADDRESSES["overview"])
        visit.page.get_by_text("This project has no stories: load it again").wait_for()
        visit.page.get_by_text("Nothing is in progress.").first.wait_for()
        assert visit.complaints == []


# ---- Texts are never markup.

HOSTILE = (
    '</script><script>document.title = "pwned"</script><!-- <script> --><!-- SCRIPTS -->'
    '<img src=x onerror="document.title = 1"><iframe srcdoc="<script>parent.alert(1)</script>">'
    "{{ 7*7 }} ${1} $& \\1 \u2028 [a](javascript:alert(1)) é"
)


@pytest.fixture(scope="module")
def hostile(published, tmp_path_factory):
    """A copy in which every name, title and comment is an attack."""
    path = tmp_path_factory.mktemp("hostile") / "renamed.duckdb"
    shutil.copy(published.path, path)
    with duckdb.connect(str(path)) as connection:
        texts = connection.execute(
            "select table_name, column_name from duckdb_columns() where not internal "
            "and data_type = 'VARCHAR' and (regexp_matches(column_name, '_names?$') "
            "or column_name in ('comment_text', 'url', 'sources', 'evidence', 'task_description', "
            "'blocker_description', 'story_description', 'attachment_names', 'rule_description', "
            "'file_paths', 'highlight', "
            "'remedy')) and column_name not in ('metric_name', 'mart_name')"
        ).fetchall()
        for table, column in texts:
            value = "javascript:document.title=1" if column == "url" else f"={column} {HOSTILE}"
            connection.execute(f'update "{table}" set "{column}" = ?', [value])
    return path


def no_script_ran(visit):
    assert visit.page.title() not in ("pwned", "1")
    assert visit.page.locator("img, iframe, a[href^=javascript]").count() == 0
    assert visit.complaints == []


@pytest.mark.slow
def test_the_dashboard_treats_every_text_as_text(browser, serve, hostile, story_id, tmp_path):
    url = serve(hostile)
    with Visit(browser) as visit:
        visit.page.on("dialog", lambda dialog: visit.complaints.append(dialog.message))
        for name, address in (*ADDRESSES.items(), ("story", f"story={story_id}")):
            visit.page.goto(url + (address if name != "search" else "q=script"))
            visit.see_all()
            no_script_ran(visit)
        assert visit.page.locator("h1").inner_text().startswith("=story_name </script>")
        visit.page.goto(url + ADDRESSES["overview"])
        with visit.page.expect_download() as download:
            visit.page.locator("#in_progress").get_by_role("button", name="Download").click()
        download.value.save_as(tmp_path / "table.csv")
        no_script_ran(visit)
    table = (tmp_path / "table.csv").read_text(encoding="utf-8-sig")
    assert "\"'=story_name </script>" in table
    assert not re.search(r"(^|,)\"?=", table, re.MULTILINE)


@pytest.mark.slow
def test_the_report_treats_every_text_as_text(browser, hostile, story_id, tmp_path, monkeypatch):
    monkeypatch.setenv("MARTS_PATH", str(hostile))
    path = tmp_path / "report.html"
    assert write_report(["--output", str(path)]) == 0
    assert path.stat().st_size < 20e6
    with Visit(browser) as visit:
        for address in (*(ADDRESSES[page.name] for page in LISTED), f"story={story_id}"):
            visit.page.goto(f"{path.as_uri()}#{address}")
            visit.see_all()
            no_script_ran(visit)
        assert visit.page.locator("h1").inner_text().startswith("=story_name </script>")


# ---- The report.


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


@pytest.mark.parametrize("width", [slow_unless(each == "wide", each) for each in WIDTHS])
def test_the_report_opens_without_network_and_shows_every_page(browser, report, width):
    with Visit(browser, width) as visit:
        visit.context.set_offline(True)
        visit.page.goto(report.as_uri())
        visit.page.get_by_role("link", name="Mobile App").click()
        for page in LISTED:
            visit.page.get_by_role("link", name=page.title, exact=True).click()
            visit.page.get_by_role("heading", name=f"Mobile App: {page.title.lower()}").wait_for()
            assert visit.see_all() == sum(picture.draw is not None for picture in page.pictures)
            questions = visit.page.locator(".card h2").all_inner_texts()
            assert questions == [picture.question for picture in page.pictures]
            assert visit.overflow() == 0
        visit.shot(f"report-{width}")
        assert visit.complaints == []


def test_the_report_leads_to_its_stories_and_to_the_current_iteration(browser, report, story_id):
    with Visit(browser) as visit:
        visit.context.set_offline(True)
        visit.page.goto(f"{report.as_uri()}#{ADDRESSES['cycle-time']}")
        visit.marks("circle", "#cycle_time")
        visit.page.locator('#cycle_time [aria-roledescription="circle"]').last.click()
        visit.page.get_by_role("heading", name="State history").wait_for()
        visit.page.goto(f"{report.as_uri()}#{ADDRESSES['overview']}")
        link = visit.page.locator("#in_progress a").last
        name = link.inner_text()
        link.click()
        visit.page.get_by_role("heading", name=name).wait_for()
        visit.page.goto(f"{report.as_uri()}#story={story_id}")
        for title in ("Details", "Tasks", "Rejections", "Iterations"):
            visit.page.get_by_role("heading", name=title, exact=True).wait_for()
        assert visit.page.locator("main a[href*=iteration]").count() == 0, "those have no page"
        visit.page.goto(f"{report.as_uri()}#{ADDRESSES['iterations']}")
        visit.page.locator("main a[href*='page=iteration']").click()
        visit.page.get_by_role("heading", name="Will the iteration be completed?").wait_for()
        assert "12 of 40 points" in visit.page.locator("#burn_up .answer").inner_text()
        assert visit.complaints == []


@pytest.mark.slow
def test_the_report_finds_the_stories_that_the_dashboard_finds(
    browser, dashboard, report, story_id
):
    with Visit(browser) as visit:
        for query in (f"#{story_id}", "NGUYEN ticket", "pay", "no such words"):
            for project in ("", f"&project={MOBILE_APP}"):
                found = []
                for address in (dashboard, report.as_uri() + "#"):
                    visit.page.goto(f"{address}q={urllib.parse.quote(query)}{project}")
                    visit.see_all()
                    assert visit.page.get_by_placeholder("Find a story").input_value() == query
                    found.append(visit.page.locator("main").inner_text())
                assert found[0] == found[1]
        assert "No story contains all these words" in found[0]
        assert visit.complaints == []


@pytest.mark.slow
def test_a_report_of_too_many_stories_says_that_it_has_no_pages_of_them(
    browser, published, tmp_path, monkeypatch
):
    monkeypatch.setenv("MARTS_PATH", str(published.path))
    monkeypatch.setattr("bi.report._MAX_STORIES", 100)
    path = tmp_path / "report.html"
    assert write_report([f"--project={MOBILE_APP}", "--output", str(path)]) == 0
    with Visit(browser) as visit:
        for page in PAGES:
            visit.page.goto(f"{path.as_uri()}#{ADDRESSES[page.name]}")
            visit.see_all()
            assert visit.page.locator("main a[href*=story]").count() == 0
        assert "too many stories" in visit.page.locator("footer").inner_text()
        assert not visit.page.get_by_placeholder("Find a story").is_visible()
        for address in ("story=1", "q=ticket"):
            visit.page.goto(f"{path.as_uri()}#{address}")
            visit.page.get_by_text("The report does not contain this.").wait_for()
        assert visit.complaints == []


def test_the_report_has_the_numbers_of_the_marts(browser, report, published):
    with Visit(browser) as visit:
        visit.page.goto(f"{report.as_uri()}#{ADDRESSES['velocity']}")
        visit.page.locator("#velocity summary", has_text="Table").click()
        row = visit.page.locator("#velocity tbody tr").first.locator("td").all_inner_texts()
    with published.connect() as connection:
        (expected,) = connection.execute(
            "select velocity from fct_iteration_velocity "
            "where project_id = ? and iteration_number = ?",
            [MOBILE_APP, int(row[0])],
        ).fetchone()
    assert int(row[3]) == expected


def test_the_data_of_the_report_cannot_end_its_script(report):
    text = report.read_text(encoding="utf-8")
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert len(json.loads(data[1])["start"]["projects"]) == 8


@pytest.mark.slow
def test_the_docs_site_renders_offline(browser, built_warehouse, tmp_path):
    # The build's own artifacts, as for `make docs`; all models are compiled again.
    shutil.copytree(built_warehouse.parent / "target", tmp_path / "target")
    generate = ["docs", "generate", "--static", "--no-compile"]
    finished = dbt(*generate, warehouse=built_warehouse, artifacts=tmp_path)
    assert finished.returncode == 0, finished.stdout
    with Visit(browser) as visit:
        visit.context.set_offline(True)
        visit.page.goto((tmp_path / "target" / "static_index.html").as_uri())
        visit.page.get_by_role("heading", name="Pivotal Tracker, as a warehouse").wait_for()
        visit.shot("docs-wide")
        visit.page.get_by_role("link", name="fct_story_cycle_time").first.click()
        visit.page.get_by_text("cycle_time_seconds").first.wait_for()
