"""How often Python looks for cycles of garbage while much is read that makes none."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

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
