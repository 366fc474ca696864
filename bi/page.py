"""The page of the dashboard and the report, assembled from its parts."""

from __future__ import annotations

import re
import sys
from pathlib import Path

try:
    import vl_convert
except ModuleNotFoundError:
    sys.exit(
        "error: the dashboard's packages are not installed; make dashboard and make report "
        "install them"
    )

_WEB = Path(__file__).with_name("web")
_PLACEHOLDER = re.compile(r"<!-- (HEAD|SCRIPTS) -->")


def part(name: str) -> str:
    """A part of the page: `page.html`, `style.css`, or `app.js`, its own script."""
    return (_WEB / name).read_text(encoding="utf-8")


def vega() -> str:
    """Vega, Vega-Lite and vega-embed as one script; at its end it dispatches the event `vega`."""
    return vl_convert.javascript_bundle(
        "window.vegaEmbed = vegaEmbed; dispatchEvent(new Event('vega'));"
    )


def page(head: str, scripts: str) -> str:
    """The whole page. A single substitution, so placeholders inside a part are left alone."""
    parts = {"HEAD": head, "SCRIPTS": scripts}
    return _PLACEHOLDER.sub(lambda place: parts[place[1]], part("page.html"))
