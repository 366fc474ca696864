"""The location of raw tables stored as files: a folder or an S3 prefix, and its errors."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import fsspec
from dlt.common.configuration import resolve_configuration
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.configuration.specs import AwsCredentials

from ingest.run.settings import ROOT, SettingsError
from ingest.warehouses.base import DATASET, causes, first_line

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

# A host that does not answer is reported within a minute, before anything is read.
_TIMEOUTS = {"connect_timeout": 10, "read_timeout": 60, "retries": {"max_attempts": 2}}
_LOGIN_ERROR_CODES = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"}
_LOGIN = (
    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or [destination.warehouse.credentials] in "
    ".dlt/secrets.toml"
)


@dataclass(frozen=True)
class Location:
    """The folder that contains the dataset.

    Attributes:
        url: its name for messages and dlt: a path, or `s3://bucket/prefix`.
        root: its path within `filesystem`.
        filesystem: the fsspec file system.
        credentials: dlt's credentials; None for a local folder.
        storage_options: the same credentials for deltalake.
    """

    url: str
    root: str
    filesystem: AbstractFileSystem
    credentials: AwsCredentials | None = field(default=None, repr=False)
    storage_options: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def is_local(self) -> bool:
        """Whether it is a folder on this machine."""
        return self.credentials is None

    @property
    def secrets(self) -> tuple[str, ...]:
        """Secrets to redact from messages."""
        names = ("aws_secret_access_key", "aws_session_token")
        return tuple(self.storage_options[name] for name in names if name in self.storage_options)

    def path_of(self, table_name: str) -> str:
        """The folder of a raw table, within `filesystem`."""
        return f"{self.root}/{DATASET}/{table_name}"

    def url_of(self, table_name: str) -> str:
        """The URL of a raw table, for deltalake."""
        return self.path_of(table_name) if self.is_local else f"s3://{self.path_of(table_name)}"

    def explain(self, error: BaseException) -> str | None:
        """Explain an error in one line if the files caused it; None otherwise."""
        chain = list(causes(error))
        code = next(filter(None, map(_code_of, chain)), "")
        if code in _LOGIN_ERROR_CODES:
            return f"{self.url} refuses the login ({code}); check {_LOGIN}"
        if code == "NoSuchBucket":
            bucket = self.root.partition("/")[0]
            return f"there is no bucket {bucket}; create it, or set WAREHOUSE_FILES to another one"
        if code == "AccessDenied" or any(isinstance(each, PermissionError) for each in chain):
            way_out = (
                "set WAREHOUSE_FILES to another folder, or grant this login the right to list and "
                "write"
            )
            return f"{self.url} refuses access; {way_out}"
        for each in chain:
            if _is_of(each, "botocore"):
                way_out = "check the network, AWS_ENDPOINT_URL and AWS_REGION"
                return f"{self.url} does not answer as S3 ({first_line(each)}); {way_out}"
            if isinstance(each, OSError) or _is_of(each, "deltalake"):
                return f"{self.url}: {first_line(each)}"
        return None


def parse_location(value: str) -> Location:
    """Parse a location from a setting or the command line. Paths are relative to the repository.

    Raises:
        SettingsError: if it is neither a folder nor a bucket, or no login is configured.
    """
    scheme, separator, rest = value.partition("://")
    if not value.isprintable() or value.startswith("~"):
        raise SettingsError(f"{value!r} is neither a folder nor s3://bucket/prefix")
    if separator and scheme == "s3":
        return _bucket(rest.strip("/"))
    if separator and scheme != "file":
        raise SettingsError(f"{value} is not supported; use a folder or s3://bucket/prefix")
    path = (ROOT / (rest if separator else value)).resolve()
    return Location(str(path), str(path), fsspec.filesystem("file"))


def _bucket(root: str) -> Location:
    if not root:
        raise SettingsError("s3:// is missing the bucket; use s3://bucket/prefix")
    import s3fs

    credentials = _credentials(f"s3://{root}")
    options: dict[str, Any] = dict(credentials.to_s3fs_credentials())
    config = {**options.pop("config_kwargs", {}), **_TIMEOUTS}
    filesystem = s3fs.S3FileSystem(
        **options, config_kwargs=config, use_listings_cache=False, skip_instance_cache=True
    )
    return Location(
        f"s3://{root}",
        root,
        filesystem,
        credentials,
        credentials.to_object_store_rs_credentials(),
    )


def _credentials(url: str) -> AwsCredentials:
    """Credentials from dlt's configuration or AWS_*, and AWS_ENDPOINT_URL, which dlt ignores.

    Raises:
        SettingsError: if no credentials are configured.
    """
    from botocore.exceptions import BotoCoreError

    try:
        found = resolve_configuration(AwsCredentials(), sections=("destination", "warehouse"))
    except ConfigurationException:
        raise SettingsError(f"{url}: no login is configured; set {_LOGIN}") from None
    except BotoCoreError as error:  # for example an unknown AWS_PROFILE, or an invalid file
        raise SettingsError(f"{url}: no login ({first_line(error)}); set {_LOGIN}") from None
    found.endpoint_url = (
        found.endpoint_url
        or os.environ.get("AWS_ENDPOINT_URL_S3")
        or os.environ.get("AWS_ENDPOINT_URL")
    )
    found.region_name = found.region_name or os.environ.get("AWS_REGION") or "us-east-1"
    return found


def _is_of(error: BaseException, package: str) -> bool:
    return error.__class__.__module__.partition(".")[0] == package


def _code_of(error: BaseException) -> str:
    """The S3 error code in an error of botocore or s3fs; empty if there is none."""
    response: Any = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""
