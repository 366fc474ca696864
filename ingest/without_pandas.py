"""Arrow without pandas, which it would import, where installed, for lists that are none of its.

That takes a quarter of a second and 40 MB of each run, and nothing here is a data frame.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

import pyarrow as pa


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
