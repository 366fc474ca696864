from ingest.api.http.paging import FieldChoices
from ingest.api.lists.jobs import ListJob
from ingest.api.lists.read_ahead import ReadAhead

WINDOW = 6
PAGES = 30


class Pages:
    """A list whose length is known after its first page."""

    def __init__(self):
        self.outstanding = self.submitted = 0
        self.taken = []

    def submit(self):
        if self.submitted == PAGES or (self.submitted and not self.taken):
            return False
        self.submitted += 1
        self.outstanding += 1
        return True

    def take(self):
        if not self.outstanding:
            return None
        self.outstanding -= 1
        self.taken.append(self.outstanding)
        return len(self.taken)

    def cancel(self):
        self.outstanding = 0


def test_pages_of_later_lists_do_not_hold_up_the_current_one():
    lists = [Pages() for _ in range(10)]
    ahead = ReadAhead((ListJob(None, pages, FieldChoices()) for pages in lists), WINDOW)
    for pages in lists:
        assert list(ahead.answers(ahead.next_job())) == list(range(1, PAGES + 1))
        # Except for the first and the last pages, the next ones are already requested.
        assert set(pages.taken[1 : PAGES - WINDOW]) == {WINDOW - 1}
        assert sum(each.outstanding for each in lists) <= WINDOW
