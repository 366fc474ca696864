"""Remove secrets, in any encoding, and control characters from messages and logs."""

from __future__ import annotations

import base64
import functools
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MASK = "***"
_MIN_LENGTH_IN_DATA = 8
# All control characters except line feed and tab; direction marks; line and paragraph separators.
_CONTROL_CHARACTERS = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_MIN_LENGTH = 4  # masking every "a" would ruin the message and protect nothing


def redacted(text: str, secrets: Iterable[str]) -> str:
    """Mask the secrets in a text, whether plain, URL-encoded, in base64 or in JSON."""
    forms = {form for secret in secrets for form in _encodings(secret)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, MASK)
    return text


def redacted_bytes(content: bytes | bytearray, secrets: Iterable[str]) -> bytes | bytearray:
    """Mask the secrets in bytes. Returns the same object when it contains none of them.

    Secrets so short that they may well occur in ordinary data are not masked.
    """
    for secret in secrets:
        if len(secret) >= _MIN_LENGTH_IN_DATA:
            for form in sorted(map(str.encode, _encodings(secret)), key=len, reverse=True):
                if form in content:
                    content = content.replace(form, MASK.encode())
    return content


def without_control_characters(text: str) -> str:
    """Replace characters that control a terminal or change the direction of text."""
    return _CONTROL_CHARACTERS.sub("\ufffd", text)


@functools.cache
def _encodings(secret: str) -> frozenset[str]:
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
    return frozenset(form for form in forms if len(form) >= _MIN_LENGTH)
