"""Run a program with exclusive use of the warehouse.

For example: `python -m ingest.warehouses.exclusive dbt build`.

This process takes the lock that ingestion takes, then replaces itself with the program (`exec`), so
the lock is released when the program ends, even if it is killed.
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
from ingest.warehouses.configured import COPY_TARGETS, configured_warehouse


def main(arguments: list[str] | None = None) -> NoReturn:
    """Lock the warehouse, then become the given command.

    Raises:
        SystemExit: with a one-line message, if the warehouse is in use or the command is not found.
    """
    options = _parser().parse_args(arguments)
    command = [options.command, *options.arguments]
    try:
        with run_log(into_file=False):
            program = _program(command[0])
            command_line = shlex.join([Path(command[0]).name, *command[1:]])
            if os.environ.get("WAREHOUSE_TARGET") not in COPY_TARGETS:  # which have no lock
                warehouse = configured_warehouse()  # must stay alive: it holds the lock
                warehouse.lock_until_exit(options.wait, command_line)
    except (SettingsError, WarehouseError) as error:
        raise SystemExit(f"error: {error}") from None
    os.execv(program, command)


def _program(name: str) -> str:
    """Find a program: first in the folder of the running Python, so that no venv need be active."""
    folder = str(Path(sys.executable).parent)
    program = shutil.which(name, path=folder) or shutil.which(name)
    if not program:
        raise SettingsError(f"{name}: program not found")
    return program


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ingest.warehouses.exclusive",
        description="Run a command, such as `dbt build`, with exclusive use of the warehouse.",
    )
    parser.add_argument(
        "--wait",
        type=seconds,
        default=0,
        metavar="SECONDS",
        help="how long to wait for another run, or for a program that has the warehouse open, to "
        "finish (default: 0)",
    )
    parser.add_argument("command", help="the program, such as dbt")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="its arguments")
    return parser


if __name__ == "__main__":
    main()
