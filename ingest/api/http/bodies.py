"""The body of an answer, piece by piece: what drips for ever is given up."""

from __future__ import annotations

import time
from collections.abc import Callable

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from ingest.api.http.answers import TransientFailure

_PIECE_BYTES = 256 * 1024


def receive_body(
    response: requests.Response,
    host: str,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Read the body of a response that was asked for with `stream`, so that `content` has it.

    A timeout of `requests` bounds the wait for the next byte only, so a host that sends one a
    minute would hold a request for ever.

    Args:
        response: a response whose body has not been read.
        host: what a message calls the other side.
        seconds: the most that the body may take from now.
        clock: seconds that never go back.

    Raises:
        TransientFailure: when the connection breaks, stalls, or the time is over.
    """
    deadline = clock() + seconds
    pieces: list[bytes] = []
    try:
        # Unlike `iter_content`, which waits until a piece is full.
        while piece := response.raw.read1(_PIECE_BYTES, decode_content=True):
            pieces.append(piece)
            if clock() > deadline:
                raise TransientFailure(f"{host} was still sending after {seconds:.0f} s")
    except ReadTimeoutError:
        raise TransientFailure(f"{host} did not answer in time") from None
    except (HTTPError, OSError):
        reason = f"the connection to {host} broke before the answer was whole"
        raise TransientFailure(reason) from None
    except BaseException:
        response.close()
        raise
    response._content = b"".join(pieces)
    response._content_consumed = True
