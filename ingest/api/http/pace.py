"""How fast requests may start: faster while the host answers well, slower when it does not."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

_FIRST_RATE = 5.0  # requests a second, to a host that is not this machine
_SLOWEST_RATE = 0.2
_LATENCY_FACTOR = 3.0  # answers that take so many times longer than usual mean a busy host
_LATENCY_MARGIN = 0.2  # and so many seconds longer
_RECENT = 50  # starts from which the present rate is measured


class Pace:
    """Spaces the starts of requests, for all threads together.

    Additive increase, multiplicative decrease, as TCP does it: the rate doubles each second until
    the host asks for less (429 or 503) or its answers take much longer than usual; then it is
    halved, and grows by one request a second each second.
    """

    def __init__(
        self,
        first_rate: float | None,
        highest_rate: float | None,
        clock: Callable[[], float],
        sleep: Callable[[float], object],
    ) -> None:
        """Begin with `first_rate` starts a second, None for any number, up to `highest_rate`."""
        self._highest_rate = highest_rate or float("inf")
        self._rate = min(first_rate or float("inf"), self._highest_rate)
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next_start = 0.0
        self._starts: deque[float] = deque(maxlen=_RECENT)
        self._is_exploring = True  # nothing has shown yet what the host can bear
        self._slowed_at = float("-inf")
        self._usual_seconds: dict[str, float] = {}

    @property
    def rate(self) -> float:
        """The requests that may start in a second now."""
        return self._rate

    def wait(self) -> None:
        """Wait until this thread may start a request."""
        with self._lock:
            now = self._clock()
            start = max(now, self._next_start)
            self._next_start = start + 1 / self._rate
            self._starts.append(start)
        if start > now:
            self._sleep(start - now)

    def pause(self, seconds: float) -> None:
        """Let no request start for a while: a throttled host throttles the token, not a thread."""
        with self._lock:
            self._next_start = max(self._next_start, self._clock() + seconds)

    def note_answer(self, kind: str, seconds: float) -> None:
        """Go faster after an answer, or slower when it took much longer than its kind does.

        Args:
            kind: what was asked for; the answers of different lists take different times.
            seconds: until the answer began.
        """
        with self._lock:
            usual = self._usual_seconds.get(kind, seconds)
            # The fastest answers count, and are forgotten slowly: a host may have become slower.
            self._usual_seconds[kind] = min(seconds, usual * 1.02)
            if seconds > usual * _LATENCY_FACTOR + _LATENCY_MARGIN:
                self._slow_down(0.8, at_least=1 / seconds)  # what one request at a time gives
            elif self._rate < self._highest_rate:
                # Each second `rate` answers come: so it doubles, or grows by one.
                grown = self._rate + (1.0 if self._is_exploring else 1 / self._rate)
                self._rate = min(grown, self._highest_rate)

    def note_refusal(self) -> None:
        """Go at half the pace: the host asked for fewer requests."""
        with self._lock:
            self._slow_down(0.5)

    def _slow_down(self, factor: float, at_least: float = _SLOWEST_RATE) -> None:
        """Lower the rate, once for all answers to requests that had started before."""
        now = self._clock()
        if now - self._slowed_at < 1:
            return
        self._slowed_at, self._is_exploring = now, False
        slower = factor * min(self._rate, self._recent_rate(now))
        self._rate = min(self._rate, max(at_least, slower))

    def _recent_rate(self, now: float) -> float:
        """Starts a second lately: less than was allowed, where the answers set the pace."""
        if len(self._starts) < 2 or now <= self._starts[0]:
            return self._rate
        return len(self._starts) / (now - self._starts[0])


def first_rate(is_loopback: bool) -> float | None:
    """The rate to begin with: no bound between this machine and itself."""
    return None if is_loopback else _FIRST_RATE
