"""How long people wait for the dashboard: `python -m benchmarks.dashboard MARTS_FILE`.

It is served as `make dashboard` serves it and opened in headless Chromium. Seconds on a wall clock,
from asking for a page until the first picture is drawn, and from choosing another filter until a
picture is another: they only mean something on a quiet machine.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.measure import table_row

_PAGES = ("overview", "velocity", "cycle-time", "flow", "iterations", "rework", "plans")
_FILTERED = ("cycle-time", "flow", "rework")
_FINGERPRINT = "pictures => pictures.map(each => each.innerHTML.length + each.textContent).join()"


def main() -> None:
    """Print a row for each page; the first one has what the server's first visitor waits for."""
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    if browser_path is None:
        sys.exit("error: no Chromium is installed; make browser does it")
    with _served(sys.argv[1]) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"]
        )
        print("| page | first picture s | visited again s | another owner s | another project s |")
        print("|---|---|---|---|---|")
        for name in _PAGES:
            cells = [*_first_pictures(browser, url, name), "", ""]
            if name in _FILTERED:
                cells[2:] = [_changed(browser, url, name, label) for label in ("Owner", "Project")]
            print(table_row(name, *cells), flush=True)
        browser.close()


@contextmanager
def _served(marts: str) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "bi.serve", "--headless", "--no-token", f"--port={port}"]
    server = subprocess.Popen(
        command, env=os.environ | {"MARTS_PATH": marts}, stdout=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        while server.poll() is None:
            try:
                requests.get(url, timeout=5)
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait()


@contextmanager
def _opened(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 1400})
    page = context.new_page()
    yield page
    context.close()


def _show(page: Page, url: str, name: str) -> str:
    """Ask for a page of the dashboard; seconds until its first picture is drawn."""
    began = time.monotonic()
    page.goto(f"{url}/?page={name}")
    page.locator("svg.marks").first.wait_for(state="attached", timeout=60_000)
    return f"{time.monotonic() - began:.1f}"


def _first_pictures(browser: Browser, url: str, name: str) -> list[str]:
    """With an empty cache of the browser, and again with what it keeps."""
    with _opened(browser) as page:
        return [_show(page, url, name) for _ in range(2)]


def _changed(browser: Browser, url: str, name: str, label: str) -> str:
    """Seconds until a picture is another, or `-` when none is within ten."""
    with _opened(browser) as page:
        _show(page, url, name)
        page.wait_for_timeout(3_000)  # until all of the page's pictures stand
        before = page.locator("svg.marks").evaluate_all(_FINGERPRINT)
        began = time.monotonic()
        page.get_by_label(label, exact=True).select_option(index=2)
        while time.monotonic() - began < 10:
            if page.locator("svg.marks").evaluate_all(_FINGERPRINT) != before:
                return f"{time.monotonic() - began:.1f}"
            page.wait_for_timeout(20)
    return "-"


if __name__ == "__main__":
    main()
