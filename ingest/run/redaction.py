"""Keeps secrets out of messages and logs, also in the forms in which they travel."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

BLANK = "***"
_SHORTEST = 4  # blanking every "a" would hide nothing and leave no message


def blanked(text: str, secrets: Iterable[str]) -> str:
    """A text without any of the secrets, as they are, URL-encoded, in base64 or in JSON."""
    forms = {form for secret in secrets for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, BLANK)
    return text


def _forms(secret: str) -> set[str]:
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
    return {form for form in forms if len(form) >= _SHORTEST}
