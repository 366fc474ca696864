"""How a run sets up the Python interpreter, so that it starts sooner and takes less memory."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

import pyarrow as pa

_OBJECTS_UNTIL_COLLECTION = 100_000  # a page of 500 activities has about 15,000


@contextmanager
def seldom_garbage_collection() -> Iterator[None]:
    """Let Python look for cycles of garbage seldom, and never among what is there already.

    A parsed page is thousands of objects and no cycle: by default, half of the time that reading
    takes goes into looking through them.
    """
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_OBJECTS_UNTIL_COLLECTION, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


class _Nowhere(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Say of pandas that it is not there."""
        if fullname == "pandas":
            raise ImportError(fullname)
        return None


def leave_pandas_out() -> None:
    """Let Arrow look for pandas now, in vain; it looks once. Others can import it as before."""
    if "pandas" in sys.modules:
        return
    finder = _Nowhere()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([None])
    finally:
        sys.meta_path.remove(finder)
