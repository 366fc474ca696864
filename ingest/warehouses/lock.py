"""Locks that keep two programs from writing one warehouse at the same time."""

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
    """Release a lock at the end of a `with` statement."""
    try:
        yield
    finally:
        os.close(handle)


def take_file_lock(lock_path: Path, name: str, wait_seconds: float, what: str) -> int:
    """Lock a warehouse by a file, until the descriptor that is returned is closed.

    The operating system releases the lock when the process ends, however that happens.

    Args:
        lock_path: the file.
        name: what messages call the warehouse.
        wait_seconds: how long to wait for another run to release the lock.
        what: what other runs call this one.

    Raises:
        OSError: when the file cannot be made.
        WarehouseError: as `locked`.
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
            f"{name} is in use by {holder}; wait for it, or give --wait SECONDS"
        ) from None


def wait_for(attempt: Callable[[], T], seconds: float) -> T:
    """Try until the warehouse is free, at most for some seconds.

    Raises:
        WarehouseInUse: what the last attempt raised.
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
