"""Request pages of later lists while the current list is being read."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from ingest.api.http.answers import Answer
from ingest.api.lists.jobs import Job, ListJob


class ReadAhead:
    """Reads lists one after the other, and requests pages ahead.

    The window limits the number of requested pages of the current list, and of all later lists. So
    memory use does not depend on the length of a list, and requests continue while the last page
    of a project is awaited.

    Attributes:
        window: the maximum number of pages of the current list that are requested and not yet
            taken; pages of later lists are only requested while all lists together have fewer.
    """

    def __init__(self, jobs: Iterable[Job], window: int) -> None:
        """Read the lists of `jobs`, at most `window` pages ahead."""
        self._later: Iterator[Job] = iter(jobs)
        self._begun: deque[Job] = deque()
        self.window = window

    def next_job(self) -> Job | None:
        """The next job; None if there are no more."""
        if not self._begun:
            self._begin_next()
        return self._begun[0] if self._begun else None

    def answers(self, job: ListJob) -> Iterator[Answer]:
        """The pages of a list; afterwards the list is dropped."""
        try:
            while True:
                self._fill()
                answer = job.pages.take()
                if answer is None:
                    return
                yield answer
        finally:
            self.drop(job)

    def drop(self, job: Job) -> None:
        """Drop a job without reading it."""
        if isinstance(job, ListJob):
            job.pages.cancel()
        if job in self._begun:
            self._begun.remove(job)

    def _begin_next(self) -> bool:
        job = next(self._later, None)
        if job is not None:
            self._begun.append(job)
        return job is not None

    def _fill(self) -> None:
        lists = [job.pages for job in self._begun if isinstance(job, ListJob)]
        # Pages of later lists may have arrived first; they must not hold up the current list.
        while lists and lists[0].outstanding < self.window and lists[0].submit():
            pass
        room = self.window - sum(pages.outstanding for pages in lists)
        for pages in lists[1:]:
            while room > 0 and pages.submit():
                room -= 1
        while room > 0 and self._begin_next():
            job = self._begun[-1]
            while room > 0 and isinstance(job, ListJob) and job.pages.submit():
                room -= 1
