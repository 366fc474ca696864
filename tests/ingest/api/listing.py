"""Read a whole list, as the reader does."""

from ingest.api.http.paging import ListRequest, Pages


def pages_of(client, path, params=None, page_size=None):
    """The records of each page, requested as far ahead as the client allows."""
    pages = Pages(client, ListRequest(path, params or {}, page_size))
    try:
        while True:
            while pages.outstanding < client.max_in_flight and pages.submit():
                pass
            answer = pages.take()
            if answer is None:
                return
            yield answer.data
    finally:
        pages.cancel()
