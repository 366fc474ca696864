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

ROOT = Path(__file__).resolve().parents[2]
SECTION = ("sources", "pivotal_tracker_source")
_OTHER_DATABASE = re.compile(r"\w{2,}:|:memory:")  # md:, sqlite:, s3://, https://, ...
_DATABASE_NAMES_TAKEN = frozenset(
    ["pivotal_tracker_data", "staging", "intermediate", "marts", "main", "memory", "temp", "system"]
)
DATE_ORDERS = ("month_first", "day_first")
DEFAULT_BASE_URL = "https://www.pivotaltracker.com/services/v5"


class SettingsError(Exception):
    """A setting that cannot be used; the message is one line that says which, and the way out."""


@configspec
class TrackerSettings(BaseConfiguration):
    """The section `[sources.pivotal_tracker_source]` of dlt's configuration.

    Attributes:
        api_token: the token that is sent, see `auth`; without it, `username` and `password` are
            exchanged for one at `GET /me`.
        base_url: the v5 API to read.
        project_ids: the projects to read; empty means all that the token sees.
        history_days: also read Tracker's daily history, one request a project.
        cycle_time_details: also read Tracker's own cycle times, one request an iteration.
        iteration_analytics: also read Tracker's own analytics with each iteration.
        max_in_flight: requests under way at once.
        auth: how the token is sent: `token` (`X-TrackerToken`) or `bearer` (`Authorization`).
        requests_per_second: the highest rate of requests; empty or 0 means that only the host's
            answers set the pace.
        answer_megabytes: the most that one answer may hold once it is unpacked.
        answer_seconds: the most that one answer may take.
        list_records: the most records that one list may hold.
        time_zone: what a CSV export does not say of its project: the zone of its days (UTC), and
            `iteration_length`, `week_start_day`, `point_scale`, which are inferred when empty.
        date_order: `month_first` (as Tracker writes) or `day_first`: how 02/11/2019 is read in a
            CSV file that has no date such as 31/12/2019 to show it.
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
    iteration_analytics: bool = False
    max_in_flight: int = 8
    auth: str = "token"
    requests_per_second: float | None = None
    answer_megabytes: float = 64
    answer_seconds: float = 300
    list_records: int = 5_000_000
    time_zone: str | None = None
    iteration_length: int | None = None
    week_start_day: str | None = None
    point_scale: str | None = None
    date_order: str | None = None

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
        values = re.split(r"[\s,]+", _bare(value)) if isinstance(value, str) else value
        try:
            return [int(item) for item in (values if isinstance(values, list) else [values])]
        except (TypeError, ValueError):
            raise SettingsError(
                f"project_ids must be a list of numbers such as [101, 102], not {value!r}"
            ) from None


def _bare(text: str) -> str:
    """The numbers of `["101", "102"]`, as well as those of `[101, 102]`."""
    return re.sub(r"[\"']", "", text).strip("[] ")


def load_settings() -> TrackerSettings:
    """Resolve the settings from environment variables, secrets.toml and config.toml.

    Raises:
        SettingsError: when a value has the wrong type, or a limit lets nothing through.
    """
    try:
        settings = resolve_configuration(TrackerSettings(), sections=SECTION)
    except ConfigurationException as error:
        lines = str(error).strip().splitlines()
        # Of a file that is no TOML, the second line says where.
        reason = " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]
        raise SettingsError(f"[{'.'.join(SECTION)}] cannot be used: {reason}") from None
    if settings.max_in_flight < 1:
        raise SettingsError(f"max_in_flight is {settings.max_in_flight}: name 1 or more")
    if settings.date_order not in (None, *DATE_ORDERS):
        raise SettingsError(
            f"date_order is {settings.date_order!r}: name one of {', '.join(DATE_ORDERS)}"
        )
    rate = settings.requests_per_second
    if rate is not None and not rate >= 0:  # nan is not, either
        raise SettingsError(f"requests_per_second is {rate}: name a rate, or 0 for no limit")
    for name in ("answer_megabytes", "answer_seconds", "list_records"):
        if not 0 < getattr(settings, name) < float("inf"):
            raise SettingsError(f"{name} is {getattr(settings, name)}: name a number above 0")
    if settings.auth not in ("token", "bearer"):
        raise SettingsError(f'auth is {settings.auth!r}: it is "token" or "bearer"')
    return settings


def warehouse_path() -> Path:
    """The DuckDB file: `WAREHOUSE_PATH`, else `warehouse.duckdb`; relative to the repository.

    Raises:
        SettingsError: when DuckDB or dbt would take the value for something else than a file.
    """
    return _file("WAREHOUSE_PATH", "warehouse.duckdb", _DATABASE_NAMES_TAKEN)


def marts_path() -> Path:
    """The published copy of the marts: `MARTS_PATH`, else `marts.duckdb`; as `warehouse_path`.

    Raises:
        SettingsError: when DuckDB would take the value for something else, or it is the warehouse.
    """
    # Called like the schema, its marts stand where `marts.<name>` finds them: see bi/publish.py.
    path = _file("MARTS_PATH", "marts.duckdb", _DATABASE_NAMES_TAKEN - {"marts"})
    if path == warehouse_path():
        raise SettingsError(f"MARTS_PATH and WAREHOUSE_PATH are both {path}; name two files")
    return path


def _file(variable: str, default: str, names_taken: frozenset[str]) -> Path:
    value = os.environ.get(variable) or default
    problem = _path_problem(value, names_taken)
    if problem:
        raise SettingsError(f"{variable} is {value!r}: {problem}; name a plain DuckDB file")
    return (ROOT / value).resolve()


def seconds(text: str) -> float:
    """A number of seconds, as a command line gives it.

    Raises:
        ValueError: when it is none, or below zero.
    """
    number = float(text)
    if not 0 <= number < float("inf"):
        raise ValueError("not a number of seconds")
    return number


def _path_problem(value: str, names_taken: frozenset[str]) -> str:
    """Why a path cannot be used by ingestion and dbt alike, or an empty text."""
    name = Path(value).name
    if not value.isprintable():
        return "it holds a line break or another control character"
    if _OTHER_DATABASE.match(value):
        return "it names another kind of database"
    if value.startswith("~"):
        return "only a shell knows what ~ is, and this one left it there"
    if set(name) & set("'\";#\\"):
        return "its name holds a quote, a semicolon, # or a backslash"
    if name.partition(".")[0].lower() in names_taken:
        return "DuckDB could not tell a file of that name from a schema or catalog"
    return ""
