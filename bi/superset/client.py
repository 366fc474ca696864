"""A small client for Superset's REST API: find objects, create or update them, run a chart."""

from __future__ import annotations

from typing import Any

import requests

_SECONDS = 120


class SupersetError(Exception):
    """A request failed. The message is one line: method, path and Superset's reason."""


class Superset:
    """A logged-in session with Superset. Every method can raise SupersetError."""

    def __init__(self, url: str, username: str, password: str) -> None:
        """Log in.

        Args:
            url: the URL of Superset, such as http://localhost:8088.
            username: a user of Superset's own database with the right to create connections.
            password: the user's password.

        Raises:
            SupersetError: if Superset cannot be reached or refuses the login.
        """
        self._url = url.rstrip("/") + "/api/v1/"
        self._session = requests.Session()
        login = {"username": username, "password": password, "provider": "db", "refresh": False}
        token = self.call("POST", "security/login", login)["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"
        # The CSRF token is valid only with the cookie of the same response.
        csrf_token = self.call("GET", "security/csrf_token/")["result"]
        self._session.headers.update({"X-CSRFToken": csrf_token, "Referer": url})

    def find(self, kind: str, **wanted: str | int) -> int | None:
        """The id of the first object of a kind (`chart`) whose fields have these values."""
        filters = ",".join(
            f"(col:{name},opr:{'rel_o_m' if name == 'database' else 'eq'},value:{_rison(value)})"
            for name, value in wanted.items()
        )
        found = self.call("GET", f"{kind}/", query={"q": f"(filters:!({filters}))"})["ids"]
        return min(found, default=None)

    def put(self, kind: str, content: dict[str, Any], **wanted: str | int) -> int:
        """Update the object that `find` returns, or create it. Returns its id."""
        found = self.find(kind, **wanted)
        if found is None:
            return self.call("POST", f"{kind}/", content)["id"]
        self.call("PUT", f"{kind}/{found}", content)
        return found

    def call(
        self,
        method: str,
        path: str,
        content: dict[str, Any] | None = None,
        query: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Send a request and return the JSON of the response."""
        try:
            answer = self._session.request(
                method, self._url + path, json=content, params=query, timeout=_SECONDS
            )
            body = answer.json()
        except requests.RequestException as error:
            reason = str(error).splitlines()[0]
            raise SupersetError(f"{method} {self._url}{path}: {reason}") from None
        if not answer.ok:
            reason = body.get("message") or body.get("errors") or body
            raise SupersetError(f"{method} {path}: {answer.status_code} {reason}")
        return body


def _rison(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    return "'" + value.replace("!", "!!").replace("'", "!'") + "'"
