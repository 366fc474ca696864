"""Locks that keep two programs from writing to one warehouse at the same time."""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from ingest.warehouses.base import WarehouseInUse

_log = logging.getLogger(__name__)
T = TypeVar("T")


@contextmanager
def closing_lock(handle: int) -> Iterator[None]:
    """Release a file lock at the end of a `with` statement."""
    try:
        yield
    finally:
        os.close(handle)


def take_file_lock(lock_path: Path, name: str, wait_seconds: float, what: str) -> int:
    """Lock a warehouse through a lock file. Closing the returned descriptor releases the lock.

    The operating system releases it when the process ends, even if it is killed.

    Args:
        lock_path: the lock file.
        name: the name of the warehouse in messages.
        wait_seconds: how long to wait for another run to release the lock.
        what: the name of this run in the messages of others.

    Raises:
        OSError: if the lock file cannot be created.
        WarehouseError: if another run holds the lock for longer than `wait_seconds`.
    """
    handle = os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        wait_for(lambda: _try_lock(handle, lock_path, name), wait_seconds)
    except BaseException:
        os.close(handle)
        raise
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{what} (PID {os.getpid()})\n".encode(), 0)
    return handle


def _try_lock(handle: int, lock_path: Path, name: str) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = lock_path.read_text().strip() or "another run"
        raise WarehouseInUse(
            f"{name} is in use by {holder}; wait for it to finish, or use --wait SECONDS"
        ) from None


def wait_for(attempt: Callable[[], T], seconds: float) -> T:
    """Repeat an attempt until it no longer raises WarehouseInUse, for at most `seconds`.

    Raises:
        WarehouseInUse: if the last attempt raised it.
    """
    deadline = time.monotonic() + seconds
    announced = ""
    while True:
        try:
            return attempt()
        except WarehouseInUse as error:
            if time.monotonic() >= deadline:
                raise
            if str(error) != announced:
                announced = str(error)
                _log.warning("waiting up to %.0f s: %s", seconds, announced.partition(";")[0])
            time.sleep(0.1)
