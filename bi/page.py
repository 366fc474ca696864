"""The page of the dashboard and of the report: its parts, and how they go together."""

from __future__ import annotations

import re
from pathlib import Path

import vl_convert

_WEB = Path(__file__).with_name("web")
_PLACE = re.compile(r"<!-- (HEAD|SCRIPTS) -->")


def style() -> str:
    """The page's style sheet."""
    return _read("style.css")


def script() -> str:
    """The page's own script."""
    return _read("app.js")


def vega() -> str:
    """Vega, Vega-Lite and their embedding as one script; it says when it has run."""
    return vl_convert.javascript_bundle(
        "window.vegaEmbed = vegaEmbed; dispatchEvent(new Event('vega'));"
    )


def page(head: str, scripts: str) -> str:
    """The whole page; what the parts hold is never taken for a place of another part."""
    parts = {"HEAD": head, "SCRIPTS": scripts}
    return _PLACE.sub(lambda place: parts[place[1]], _read("page.html"))


def _read(name: str) -> str:
    return (_WEB / name).read_text(encoding="utf-8")
