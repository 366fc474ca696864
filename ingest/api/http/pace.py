"""How fast requests may start."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Pace:
    """Spaces the starts of requests, for all threads together."""

    def __init__(
        self,
        requests_per_second: float | None,
        clock: Callable[[], float],
        sleep: Callable[[float], object],
    ) -> None:
        """Allow `requests_per_second` starts a second; None for no bound."""
        self._interval = 1 / requests_per_second if requests_per_second else 0.0
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next_start = 0.0

    def wait(self) -> None:
        """Wait until this thread may start a request."""
        with self._lock:
            now = self._clock()
            start = max(now, self._next_start)
            self._next_start = start + self._interval
        if start > now:
            self._sleep(start - now)

    def pause(self, seconds: float) -> None:
        """Let no request start for a while: a throttled host throttles the token, not a thread."""
        with self._lock:
            self._next_start = max(self._next_start, self._clock() + seconds)
