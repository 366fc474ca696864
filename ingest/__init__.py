"""Ingestion: load Tracker data from any source into the raw tables."""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingest.source import pivotal_tracker_source

__all__ = ["pivotal_tracker_source"]

# Do not start threads for numpy's linear algebra, which is not used here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Arrow's own allocator keeps freed memory: a first load then needs about 80 MB more.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any name
    """Import the dlt source on first use, because most modules do not need it."""
    if name in __all__:
        from ingest import source

        return getattr(source, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
