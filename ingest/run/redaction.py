"""Keep secrets, in whatever form they travel, and control characters out of messages and logs."""

from __future__ import annotations

import base64
import functools
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

BLANK = "***"
_SHORTEST_IN_DATA = 8
# Control characters but line feed and tab; marks of direction; line and paragraph separators.
_STEERING = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_SHORTEST = 4  # blanking every "a" would hide nothing and leave no message


def blanked(text: str, secrets: Iterable[str]) -> str:
    """A text without any of the secrets, as they are, URL-encoded, in base64 or in JSON."""
    forms = {form for secret in secrets for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, BLANK)
    return text


def blanked_bytes(content: bytes | bytearray, secrets: Iterable[str]) -> bytes | bytearray:
    """The same for bytes; the very same object when none of the secrets is in them.

    Secrets that ordinary text may well contain are left in.
    """
    for secret in secrets:
        if len(secret) >= _SHORTEST_IN_DATA:
            for form in sorted(map(str.encode, _forms(secret)), key=len, reverse=True):
                if form in content:
                    content = content.replace(form, BLANK.encode())
    return content


def printable(text: str) -> str:
    """A text without characters that steer a terminal or turn the direction of writing."""
    return _STEERING.sub("\ufffd", text)


@functools.cache
def _forms(secret: str) -> frozenset[str]:
    encoded = secret.encode(errors="surrogatepass")
    forms = {
        secret,
        quote(encoded, safe=""),
        quote(encoded),
        quote_plus(encoded),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        base64.b64encode(encoded).decode().rstrip("="),
        base64.urlsafe_b64encode(encoded).decode().rstrip("="),
    }
    return frozenset(form for form in forms if len(form) >= _SHORTEST)
