"""Where raw tables lie as files: a folder or a prefix of an S3 bucket, and what it complains of."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import fsspec
from dlt.common.configuration import resolve_configuration
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.configuration.specs import AwsCredentials

from ingest.run.settings import ROOT, SettingsError
from ingest.warehouses.base import DATASET

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

# Whatever does not answer is told within a minute, before anything is read.
_PATIENCE = {"connect_timeout": 10, "read_timeout": 60, "retries": {"max_attempts": 2}}
_LOGIN_CODES = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"}
_LOGIN = (
    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or [destination.warehouse.credentials] in "
    ".dlt/secrets.toml"
)


@dataclass(frozen=True)
class Location:
    """A folder that holds the dataset.

    Attributes:
        url: what messages and dlt call it: a path, or `s3://bucket/prefix`.
        root: the same as `filesystem` calls it.
        filesystem: what lists, reads and writes it.
        credentials: what dlt logs in with; None for a folder.
        storage_options: the same for deltalake.
    """

    url: str
    root: str
    filesystem: AbstractFileSystem
    credentials: AwsCredentials | None = field(default=None, repr=False)
    storage_options: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine."""
        return self.credentials is None

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may show."""
        names = ("aws_secret_access_key", "aws_session_token")
        return tuple(self.storage_options[name] for name in names if name in self.storage_options)

    def path_of(self, table_name: str) -> str:
        """The folder of a raw table, as `filesystem` calls it."""
        return f"{self.root}/{DATASET}/{table_name}"

    def url_of(self, table_name: str) -> str:
        """The same as deltalake calls it."""
        return self.path_of(table_name) if self.is_local else f"s3://{self.path_of(table_name)}"

    def explained(self, error: BaseException) -> str | None:
        """What an error of the files means, in one line; None when it is none of theirs."""
        chain = list(_chain(error))
        code = next(filter(None, map(_code_of, chain)), "")
        if code in _LOGIN_CODES:
            return f"{self.url} refuses the login ({code}); check {_LOGIN}"
        if code == "NoSuchBucket":
            bucket = self.root.partition("/")[0]
            return f"there is no bucket {bucket}; make it, or set WAREHOUSE_FILES to another"
        if code == "AccessDenied" or any(isinstance(each, PermissionError) for each in chain):
            way_out = (
                "set WAREHOUSE_FILES to another, or give this login the right to list and write"
            )
            return f"{self.url} refuses access; {way_out}"
        for each in chain:
            if _is_of(each, "botocore"):
                way_out = "check the network, AWS_ENDPOINT_URL and AWS_REGION"
                return f"{self.url} does not answer as S3 ({_first_line(each)}); {way_out}"
            if isinstance(each, OSError) or _is_of(each, "deltalake"):
                return f"{self.url}: {_first_line(each)}"
        return None


def location_of(value: str) -> Location:
    """The location that a setting or a command line names; a path is relative to the repository.

    Raises:
        SettingsError: when it names neither a folder nor a bucket, or no login is configured.
    """
    scheme, separator, rest = value.partition("://")
    if not value.isprintable() or value.startswith("~"):
        raise SettingsError(f"{value!r} is no folder and no s3://bucket/prefix")
    if separator and scheme == "s3":
        return _bucket(rest.strip("/"))
    if separator and scheme != "file":
        raise SettingsError(f"{value} is of a kind that is not known; name a folder or s3://bucket")
    path = (ROOT / (rest if separator else value)).resolve()
    return Location(str(path), str(path), fsspec.filesystem("file"))


def _bucket(root: str) -> Location:
    if not root:
        raise SettingsError("s3:// names no bucket; name it as s3://bucket/prefix")
    import s3fs

    credentials = _credentials(f"s3://{root}")
    options: dict[str, Any] = dict(credentials.to_s3fs_credentials())
    config = {**options.pop("config_kwargs", {}), **_PATIENCE}
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
    """What dlt's configuration or AWS_* says; AWS_ENDPOINT_URL too, which dlt itself does not read.

    Raises:
        SettingsError: when nothing says anything.
    """
    from botocore.exceptions import BotoCoreError

    try:
        found = resolve_configuration(AwsCredentials(), sections=("destination", "warehouse"))
    except ConfigurationException:
        raise SettingsError(f"{url}: no login is configured; set {_LOGIN}") from None
    except BotoCoreError as error:  # AWS_PROFILE names none, its file is no such file, ...
        raise SettingsError(f"{url}: no login ({_first_line(error)}); set {_LOGIN}") from None
    found.endpoint_url = (
        found.endpoint_url
        or os.environ.get("AWS_ENDPOINT_URL_S3")
        or os.environ.get("AWS_ENDPOINT_URL")
    )
    found.region_name = found.region_name or os.environ.get("AWS_REGION") or "us-east-1"
    return found


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what it came from."""
    each: BaseException | None = error
    while each is not None:
        yield each
        each = each.__cause__ or each.__context__


def _is_of(error: BaseException, package: str) -> bool:
    return error.__class__.__module__.partition(".")[0] == package


def _code_of(error: BaseException) -> str:
    """The code of an answer of S3, by botocore or as s3fs repeats it."""
    response: Any = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or error.__class__.__name__).splitlines()[0].rstrip(":; .")[:300]
