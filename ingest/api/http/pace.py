"""Adapt the request rate to the host: faster while it responds quickly, slower otherwise."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

_SLOWEST_RATE = 0.2
_LATENCY_FACTOR = 3.0  # a host is busy if responses take so many times longer than usual
_LATENCY_MARGIN = 0.2  # and so many seconds longer
_RECENT = 50  # the number of request starts by which the actual rate is measured


class Pace:
    """Limits the rate at which all threads together start requests.

    Additive increase, multiplicative decrease, as in TCP: the rate grows with each response, to
    more than twice as much in a second, until the host throttles (429 or 503) or its responses take
    much longer than usual. Then it is halved, or lowered by a fifth, and grows by one request per
    second each second.
    """

    def __init__(
        self,
        first_rate: float | None,
        highest_rate: float | None,
        clock: Callable[[], float],
        sleep: Callable[[float], object],
    ) -> None:
        """Start with `first_rate` requests per second (None: unlimited), up to `highest_rate`."""
        self._highest_rate = highest_rate or float("inf")
        self._rate = min(first_rate or float("inf"), self._highest_rate)
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next_start = 0.0
        self._starts: deque[float] = deque(maxlen=_RECENT)
        self._is_exploring = True  # the host's limit is not known yet
        self._slowed_at = float("-inf")
        self._usual_seconds: dict[str, float] = {}

    @property
    def rate(self) -> float:
        """The current limit, in requests per second."""
        return self._rate

    def wait(self) -> None:
        """Wait until a request may start."""
        with self._lock:
            now = self._clock()
            start = max(now, self._next_start)
            self._next_start = start + 1 / self._rate
            self._starts.append(start)
        if start > now:
            self._sleep(start - now)

    def pause(self, seconds: float) -> None:
        """Let no request start for a while, because hosts throttle a token, not a thread."""
        with self._lock:
            self._next_start = max(self._next_start, self._clock() + seconds)

    def note_answer(self, kind: str, seconds: float) -> None:
        """Raise the rate after a response, or lower it if the response was unusually slow.

        Args:
            kind: the kind of list; different lists take different times.
            seconds: the time until the response started.
        """
        with self._lock:
            usual = self._usual_seconds.get(kind, seconds)
            # The fastest response is the norm; it rises slowly, as a host may have become slower.
            self._usual_seconds[kind] = min(seconds, usual * 1.02)
            if seconds > usual * _LATENCY_FACTOR + _LATENCY_MARGIN:
                self._slow_down(0.8, at_least=1 / seconds)  # the rate of one request at a time
            elif self._rate < self._highest_rate:
                # There are `rate` responses per second: each adds one, or all of them together.
                grown = self._rate + (1.0 if self._is_exploring else 1 / self._rate)
                self._rate = min(grown, self._highest_rate)

    def note_refusal(self) -> None:
        """Halve the rate, because the host asked for fewer requests."""
        with self._lock:
            self._slow_down(0.5)

    def _slow_down(self, factor: float, at_least: float = _SLOWEST_RATE) -> None:
        """Lower the rate, at most once per second."""
        now = self._clock()
        if now - self._slowed_at < 1:
            return
        self._slowed_at, self._is_exploring = now, False
        slower = factor * min(self._rate, self._recent_rate(now))
        self._rate = min(self._rate, max(at_least, slower))

    def _recent_rate(self, now: float) -> float:
        """The actual rate, which is below the limit if responses are slow."""
        if len(self._starts) < 2 or now <= self._starts[0]:
            return self._rate
        return len(self._starts) / (now - self._starts[0])
