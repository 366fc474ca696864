"""What a run is told from outside: dlt's configuration, and where the warehouse is."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from dlt.common.configuration import configspec, resolve_configuration
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.configuration.specs import BaseConfiguration
from dlt.common.typing import TSecretStrValue

ROOT = Path(__file__).resolve().parents[1]
SECTION = ("sources", "pivotal_tracker_source")
DEFAULT_BASE_URL = "https://www.pivotaltracker.com/services/v5"


class SettingsError(Exception):
    """A setting that cannot be used; the message is one line that says which, and the way out."""


@configspec
class TrackerSettings(BaseConfiguration):
    """The section `[sources.pivotal_tracker_source]` of dlt's configuration.

    Attributes:
        api_token: the token sent as `X-TrackerToken`; without it, `username` and `password` are
            exchanged for one at `GET /me`.
        base_url: the v5 API to read.
        project_ids: the projects to read; empty means all that the token sees.
        history_days: also read Tracker's daily history, one request a project.
        cycle_time_details: also read Tracker's own cycle times, one request an iteration.
        max_in_flight: requests under way at once.
        requests_per_second: upper bound of the request rate; empty means the client's default.
    """

    api_token: TSecretStrValue | None = None
    base_url: str = DEFAULT_BASE_URL
    username: str | None = None
    password: TSecretStrValue | None = None
    project_ids: Any | None = (
        None  # a list in TOML, text such as `[101, 102]` or `101, 102` elsewhere
    )
    history_days: bool = False
    cycle_time_details: bool = False
    max_in_flight: int = 8
    requests_per_second: float | None = None

    @property
    def has_credentials(self) -> bool:
        """Whether there is anything to log in with."""
        return bool(self.api_token or (self.username and self.password))

    def chosen_project_ids(self) -> list[int] | None:
        """The configured project ids as numbers, or None for all.

        Raises:
            SettingsError: when one is not a number.
        """
        value = self.project_ids
        if value is None or value in ("", []):
            return None
        values = re.split(r"[\s,]+", value.strip("[] ")) if isinstance(value, str) else value
        try:
            return [int(item) for item in (values if isinstance(values, list) else [values])]
        except (TypeError, ValueError):
            raise SettingsError(
                f"project_ids must be a list of numbers such as [101, 102], not {value!r}"
            ) from None


def load_settings() -> TrackerSettings:
    """Resolve the settings from environment variables, secrets.toml and config.toml.

    Raises:
        SettingsError: when a value has the wrong type.
    """
    try:
        return resolve_configuration(TrackerSettings(), sections=SECTION)
    except ConfigurationException as error:
        reason = str(error).strip().splitlines()[0]
        raise SettingsError(f"[{'.'.join(SECTION)}] cannot be used: {reason}") from None


def warehouse_path() -> Path:
    """The DuckDB file: `WAREHOUSE_PATH`, else `warehouse.duckdb`; relative to the repository."""
    return (ROOT / (os.environ.get("WAREHOUSE_PATH") or "warehouse.duckdb")).resolve()
