"""Serve the dashboard and open a browser: `python -m bi.serve [options of marimo run]`.

A session runs in the server's process: what it imports first is there before anybody asks, which
halves the wait for the first picture.
"""

from __future__ import annotations

import importlib
import runpy
import sys
from pathlib import Path

_IMPORTED_BY_SESSIONS = ("bi.pictures", "bi.shown", "bi.published", "ingest.run.settings")


def main() -> None:
    """Import what pages draw with, and hand over to marimo."""
    for module in _IMPORTED_BY_SESSIONS:
        importlib.import_module(module)
    sys.argv = ["marimo", "run", str(Path(__file__).with_name("dashboard.py")), *sys.argv[1:]]
    runpy.run_module("marimo", run_name="__main__")


if __name__ == "__main__":
    main()
