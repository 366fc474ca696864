"""Interpreter settings that make a run start faster and use less memory and CPU."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

import pyarrow as pa

_GC_THRESHOLD = 100_000  # a page of 500 activities has about 15,000


@contextmanager
def less_frequent_gc() -> Iterator[None]:
    """Run the garbage collector less often, and not over objects that already exist.

    Parsed pages are thousands of objects without reference cycles. With Python's default threshold,
    the collector takes half of the time spent on reading.
    """
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


class _PandasNotInstalled(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Raise ImportError for pandas; leave every other module to the other finders."""
        if fullname == "pandas":
            raise ImportError(fullname)
        return None


def prevent_pandas_import() -> None:
    """Stop PyArrow from importing pandas, which is slow and which ingestion does not use.

    PyArrow tries the import once, on first use; this makes that one attempt fail. Other code can
    still import pandas afterwards.
    """
    if "pandas" in sys.modules:
        return
    finder = _PandasNotInstalled()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([None])
    finally:
        sys.meta_path.remove(finder)
