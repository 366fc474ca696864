"""Ingestion: whatever holds Tracker data becomes rows of the declared raw tables."""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingest.source import pivotal_tracker_source

__all__ = ["pivotal_tracker_source"]

# numpy's linear algebra, which nothing here uses, would start threads, and these spin for a while.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import the dlt source when it is asked for: most of what is here does without it."""
    if name in __all__:
        from ingest import source

        return getattr(source, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
