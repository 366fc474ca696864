"""How long people wait for the dashboard: `python -m benchmarks.dashboard MARTS_FILE`.

It is served as `make dashboard` serves it and opened in headless Chromium. Seconds on a wall clock,
from asking for a page until the first picture is drawn (or the first row stands), and from choosing
another filter until a picture is another: they only mean something on a quiet machine.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.measure import table_row

_PAGES = ("overview", "velocity", "cycle-time", "flow", "iteration", "rework", "plans")
_FILTERED = {"overview": "owner", "cycle-time": "owner", "flow": "from", "rework": "owner"}


def main() -> None:
    """Print a row for each page; the first one has what the server's first visitor waits for."""
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    if browser_path is None:
        sys.exit("error: no Chromium is installed; make browser does it")
    with _served(sys.argv[1]) as url, sync_playwright() as playwright:
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
    """Ask for a page; seconds until the first thing that it is about is there."""
    page.goto("about:blank")
    began = time.monotonic()
    page.goto(address)
    page.locator(first).first.wait_for(state="attached", timeout=60_000)
    return f"{time.monotonic() - began:.2f}"


def _times(browser: Browser, address: str, first: str) -> list[str]:
    """With an empty cache of the browser, and again with what it keeps."""
    with _opened(browser) as page:
        return [_show(page, address, first) for _ in range(2)]


def _changed(browser: Browser, address: str, control: str) -> str:
    """Seconds until the first picture is another."""
    with _opened(browser) as page:
        _show(page, address, "svg.marks")
        page.locator(f"[name={control}]").wait_for()
        page.wait_for_timeout(3_000)  # until all of the page's pictures stand
        # Measured in the page: a question from outside would add its own way.
        return page.evaluate(
            """async (name) => {
                const shown = () => document.querySelector('.chart svg.marks')?.innerHTML;
                const before = shown();
                const control = document.querySelector(`[name=${name}]`);
                const began = performance.now();
                if (control.type === 'date') control.stepUp(30);
                else control.selectedIndex = 2;
                control.dispatchEvent(new Event('change', {bubbles: true}));
                while (!shown() || shown() === before) {
                    await new Promise((resolve) => setTimeout(resolve, 5));
                    if (performance.now() - began > 10000) return '-';
                }
                return ((performance.now() - began) / 1000).toFixed(2);
            }""",
            control,
        )


if __name__ == "__main__":
    main()
