"""Ingestion: load Tracker data from any source into the raw tables."""

import ctypes
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingest.source import pivotal_tracker_source

__all__ = ["pivotal_tracker_source"]

# Do not start threads for numpy's linear algebra, which is not used here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Arrow's own allocator keeps freed memory: a first load then needs about 80 MB more.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
# So does glibc with its default of eight arenas per processor: about 50 MB more.
_M_ARENA_MAX = -8
with suppress(AttributeError, TypeError):  # other systems do not have this function
    ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any name
    """Import the dlt source on first use, because most modules do not need it."""
    if name in __all__:
        from ingest import source

        return getattr(source, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
