"""Measure how long people wait for the dashboard and the report.

`python -m benchmarks.dashboard [MARTS_FILE]` measures the given marts, or those of a workspace of
100,000 stories, which it builds first. The dashboard is served as by `make dashboard` and opened
in headless Chromium. The figures are seconds from requesting a page until the first picture (or
table row) appears, and from changing a filter until the first picture changes. They are only
meaningful on an idle machine.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.api import run_load
from benchmarks.measure import measured, table_row
from benchmarks.source import running_source

_STORIES = 100_000
_PAGES = ("overview", "velocity", "cycle-time", "flow", "iteration", "rework", "plans")
_FILTERED = {"overview": "owner", "cycle-time": "owner", "flow": "from", "rework": "owner"}


def main() -> None:
    """Print a row for each page; the first one includes the wait of the server's first visitor."""
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    if browser_path is None:
        sys.exit("error: Chromium is not installed; install it with make browser")
    with tempfile.TemporaryDirectory() as folder:
        _measure(sys.argv[1] if sys.argv[1:] else _built(Path(folder)), browser_path)


def _built(folder: Path) -> str:
    with running_source(_STORIES) as source:
        run_load(source, folder)
    marts = f"{folder}/marts.duckdb"
    measured(
        [sys.executable, "-m", "bi.build", "--quiet"],
        WAREHOUSE_PATH=f"{folder}/w.duckdb",
        MARTS_PATH=marts,
        DBT_TARGET_PATH=f"{folder}/target",
        DBT_LOG_PATH=f"{folder}/logs",
    )
    return marts


def _measure(marts: str, browser_path: str) -> None:
    with _served(marts) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"]
        )
        projects = requests.get(f"{url}/api/start", timeout=30).json()["projects"]
        largest = max(projects, key=lambda each: each["story_count"])["project_id"]
        print("| page | empty cache s | again s | another filter s |")
        print("|---|---|---|---|")
        print(table_row("all projects", *_times(browser, f"{url}/#", ".projects td"), ""))
        for name in _PAGES:
            address = f"{url}/#project={largest}&page={name}"
            changed = _changed(browser, address, _FILTERED[name]) if name in _FILTERED else ""
            print(table_row(name, *_times(browser, address, "svg.marks"), changed), flush=True)
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.html"
            written = [sys.executable, "-m", "bi.report", "--output", str(report)]
            measured(written, MARTS_PATH=marts)
            print(table_row("report", *_times(browser, report.as_uri(), ".projects td"), ""))
        browser.close()


@contextmanager
def _served(marts: str) -> Iterator[str]:
    server = subprocess.Popen(
        [sys.executable, "-m", "bi.serve", "--no-browser", "--port=0"],
        env=os.environ | {"MARTS_PATH": marts},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield re.search(r"http://[\d.:]+", server.stdout.readline())[0]
    finally:
        server.terminate()
        server.communicate()


@contextmanager
def _opened(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 1400})
    page = context.new_page()
    yield page
    context.close()


def _show(page: Page, address: str, first: str) -> str:
    """Open a page and return the seconds until its first picture or row appears."""
    page.goto("about:blank")
    began = time.monotonic()
    page.goto(address)
    page.locator(first).first.wait_for(state="attached", timeout=60_000)
    return f"{time.monotonic() - began:.2f}"


def _times(browser: Browser, address: str, first: str) -> list[str]:
    """Measure with an empty browser cache and again with a filled one."""
    with _opened(browser) as page:
        return [_show(page, address, first) for _ in range(2)]


def _changed(browser: Browser, address: str, control: str) -> str:
    """Change a filter and return the seconds until the first picture changes."""
    with _opened(browser) as page:
        _show(page, address, "svg.marks")
        page.locator(f"[name={control}]").wait_for()
        page.wait_for_timeout(3_000)  # until all pictures of the page are drawn
        # Measured inside the page, without the time of calls from outside.
        return page.evaluate(
            """async (name) => {
                const picture = () => document.querySelector('.chart svg.marks')?.innerHTML;
                const before = picture();
                const control = document.querySelector(`[name=${name}]`);
                const began = performance.now();
                if (control.type === 'date') control.stepUp(30);
                else control.selectedIndex = 2;
                control.dispatchEvent(new Event('change', {bubbles: true}));
                while (!picture() || picture() === before) {
                    await new Promise((resolve) => setTimeout(resolve, 5));
                    if (performance.now() - began > 10000) return '-';
                }
                return ((performance.now() - began) / 1000).toFixed(2);
            }""",
            control,
        )


if __name__ == "__main__":
    main()
