"""Run another program while nothing loads the warehouse.

`python -m ingest.warehouses.exclusive dbt build` is an example.

The program takes this process's place, with the lock that ingestion takes, so the lock ends with
it, however it ends.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import NoReturn

from ingest.run.log import run_log
from ingest.run.settings import SettingsError, seconds
from ingest.warehouses.base import WarehouseError
from ingest.warehouses.configured import COPIED, configured_warehouse


def main(arguments: list[str] | None = None) -> NoReturn:
    """Wait for the warehouse, then become the given command.

    Raises:
        SystemExit: with one line, when the warehouse is in use or there is no such command.
    """
    options = _parser().parse_args(arguments)
    command = [options.command, *options.arguments]
    try:
        with run_log(into_file=False):
            program = _program(command[0])
            shown = shlex.join([Path(command[0]).name, *command[1:]])
            if os.environ.get("WAREHOUSE_TARGET") not in COPIED:  # which have no lock
                warehouse = configured_warehouse()  # kept: its lock ends with it
                warehouse.lock_for_successor(options.wait, shown)
    except (SettingsError, WarehouseError) as error:
        raise SystemExit(f"error: {error}") from None
    os.execv(program, command)


def _program(name: str) -> str:
    """Where the program is: beside the running Python first, so that no venv need be active."""
    folder = str(Path(sys.executable).parent)
    program = shutil.which(name, path=folder) or shutil.which(name)
    if not program:
        raise SettingsError(f"{name}: there is no such program")
    return program


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ingest.warehouses.exclusive",
        description="Run a command, such as `dbt build`, while nothing loads the warehouse.",
    )
    parser.add_argument(
        "--wait",
        type=seconds,
        default=0,
        metavar="SECONDS",
        help="wait this long for a run, or a program that has the warehouse open, to finish "
        "(default: 0)",
    )
    parser.add_argument("command", help="the program, such as dbt")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="its arguments")
    return parser


if __name__ == "__main__":
    main()
