"""The settings of a run: dlt's configuration and the paths of the database files."""

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
    """An invalid setting. The message is one line: which setting it is and how to fix it."""


@configspec
class TrackerSettings(BaseConfiguration):
    """The section `[sources.pivotal_tracker_source]` of dlt's configuration.

    Attributes:
        api_token: the token to send (see `auth`). Without it, `username` and `password` are
            exchanged for a token at `GET /me`.
        base_url: the v5 API to read.
        project_ids: the projects to read; empty means all that the token can see.
        history_days: also read Tracker's daily history (one request per project).
        cycle_time_details: also read Tracker's own cycle times (one request per iteration).
        iteration_analytics: also read Tracker's own analytics of each iteration.
        max_in_flight: the maximum number of concurrent requests.
        auth: how the token is sent: `token` (`X-TrackerToken`) or `bearer` (`Authorization`).
        requests_per_second: the maximum request rate; empty or 0 for no limit but the host's own.
        answer_megabytes: the maximum size of one response after decompression.
        answer_seconds: the maximum duration of one response.
        list_records: the maximum number of records in one list.
        nested_levels: the maximum number of nested lists and objects in one record, including the
            record itself, from the API or a file; at most 254.
        refused_rows: the maximum number of refused rows of one file that are listed individually;
            the rest share one further row of `rejected_rows`, with their number and lines.
        time_zone: the project's time zone, which a CSV export does not state (default UTC). The
            same holds for `iteration_length`, `week_start_day` and `point_scale`, which are
            inferred when empty.
        date_order: `month_first` (Tracker's own order) or `day_first`: how to read 02/11/2019 in a
            CSV file without an unambiguous date such as 31/12/2019.
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
    nested_levels: int = 254
    refused_rows: int = 10_000
    time_zone: str | None = None
    iteration_length: int | None = None
    week_start_day: str | None = None
    point_scale: str | None = None
    date_order: str | None = None

    @property
    def has_credentials(self) -> bool:
        """Whether a token, or a user name and password, is configured."""
        return bool(self.api_token or (self.username and self.password))

    def require_credentials(self) -> None:
        """Check that there are credentials.

        Raises:
            SettingsError: if there is neither a token, nor a user name and password.
        """
        if not self.has_credentials:
            raise SettingsError(
                "no api_token is configured; put it into .dlt/secrets.toml (see "
                "secrets.toml.example) or into SOURCES__PIVOTAL_TRACKER_SOURCE__API_TOKEN"
            )

    @property
    def client_settings(self) -> dict[str, Any]:
        """The settings of the HTTP client, as keyword arguments."""
        return {
            "auth": self.auth,
            "max_in_flight": self.max_in_flight,
            "requests_per_second": self.requests_per_second,
            "answer_seconds": self.answer_seconds,
            "most_answer_bytes": int(self.answer_megabytes * 2**20),
            "most_records": self.list_records,
            "nested_levels": self.nested_levels,
        }

    def chosen_project_ids(self) -> list[int] | None:
        """The configured project ids as numbers, or None for all.

        Raises:
            SettingsError: if one of them is not a number.
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
    """Strip brackets and quotes: `["101", "102"]` and `[101, 102]` are both accepted."""
    return re.sub(r"[\"']", "", text).strip("[] ")


def load_settings(**given: Any) -> TrackerSettings:  # noqa: ANN401 - checked below
    """Resolve the settings from environment variables, secrets.toml and config.toml.

    Args:
        **given: values that override configured ones.

    Raises:
        SettingsError: if there is no such setting, or a value has the wrong type or is out of
            range.
    """
    unknown = given.keys() - TrackerSettings.get_resolvable_fields().keys()
    if unknown:
        raise SettingsError(f"there is no setting {', '.join(sorted(unknown))}")
    try:
        settings = resolve_configuration(
            TrackerSettings(), sections=SECTION, explicit_value=given or None
        )
    except ConfigurationException as error:
        lines = str(error).strip().splitlines()
        # For invalid TOML, dlt's second line says where the error is.
        reason = " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]
        raise SettingsError(f"[{'.'.join(SECTION)}] is invalid: {reason}") from None
    if settings.max_in_flight < 1:
        raise SettingsError(f"max_in_flight is {settings.max_in_flight}: it must be 1 or more")
    if settings.date_order not in (None, *DATE_ORDERS):
        raise SettingsError(
            f"date_order is {settings.date_order!r}: it must be {' or '.join(DATE_ORDERS)}"
        )
    rate = settings.requests_per_second
    if rate is not None and not rate >= 0:  # also refuses nan
        raise SettingsError(f"requests_per_second is {rate}: it must be 0 (no limit) or more")
    for name in ("answer_megabytes", "answer_seconds", "list_records", "refused_rows"):
        if not 0 < getattr(settings, name) < float("inf"):
            raise SettingsError(f"{name} is {getattr(settings, name)}: it must be above 0")
    from ingest.records import DEEPEST  # imported here, because most callers only need paths

    if not 1 <= settings.nested_levels <= DEEPEST:
        raise SettingsError(
            f"nested_levels is {settings.nested_levels}: it must be from 1 to {DEEPEST}"
        )
    if settings.auth not in ("token", "bearer"):
        raise SettingsError(f'auth is {settings.auth!r}: it must be "token" or "bearer"')
    return settings


def warehouse_path() -> Path:
    """The DuckDB file: `WAREHOUSE_PATH` or `warehouse.duckdb`, relative to the repository.

    Raises:
        SettingsError: if DuckDB or dbt would not treat the value as the path of a file.
    """
    return _file("WAREHOUSE_PATH", "warehouse.duckdb", _DATABASE_NAMES_TAKEN)


def marts_path() -> Path:
    """The published copy of the marts: `MARTS_PATH` or `marts.duckdb`, as in `warehouse_path`.

    Raises:
        SettingsError: if DuckDB would not treat the value as the path of a file, or if it is the
            warehouse's own path.
    """
    # A file named marts.duckdb is allowed: see bi/publish.py for how `marts.<name>` is resolved.
    path = _file("MARTS_PATH", "marts.duckdb", _DATABASE_NAMES_TAKEN - {"marts"})
    if path == warehouse_path():
        raise SettingsError(
            f"MARTS_PATH and WAREHOUSE_PATH are both {path}; they must be different files"
        )
    return path


def _file(variable: str, default: str, names_taken: frozenset[str]) -> Path:
    value = os.environ.get(variable) or default
    problem = _path_problem(value, names_taken)
    if problem:
        raise SettingsError(f"{variable} is {value!r}: {problem}; use the path of a DuckDB file")
    return (ROOT / value).resolve()


def seconds(text: str) -> float:
    """Parse a number of seconds from the command line.

    Raises:
        ValueError: if it is not a finite number, or negative.
    """
    number = float(text)
    if not 0 <= number < float("inf"):
        raise ValueError("not a number of seconds")
    return number


def _path_problem(value: str, names_taken: frozenset[str]) -> str:
    """Why ingestion or dbt cannot use a path; empty when both can."""
    name = Path(value).name
    if not value.isprintable():
        return "it contains a line break or another control character"
    if _OTHER_DATABASE.match(value):
        return "it is the address of another kind of database"
    if value.startswith("~"):
        return "the shell did not expand the ~"
    if set(name) & set("'\";#\\"):
        return "its name contains a quote, a semicolon, # or a backslash"
    if name.partition(".")[0].lower() in names_taken:
        return "DuckDB would confuse a file of that name with a schema or catalog"
    return ""
