"""Check the requirements of a build with Spark, and report a missing one in one line."""

from __future__ import annotations

import os
from importlib.util import find_spec

from ingest.run.settings import SettingsError
from ingest.warehouses.configured import configured_warehouse

DEFAULT_REMOTE = "sc://localhost:50051"  # where `sail spark server` listens
_PACKAGES = ("dbt.adapters.spark", "pyspark")
_INSTALL = "run make setup TARGET=spark"
_TIMEOUT_SECONDS = 10


def settings_of_environment() -> dict[str, str]:
    """The environment variables for dbt: the server, and the absolute path or URL of the files.

    Raises:
        SettingsError: if a package is missing, no server answers, or nothing is loaded.
        WarehouseError: if the files cannot be read.
    """
    for package in _PACKAGES:
        if find_spec(package) is None:
            raise SettingsError(f"Spark requires the package {package}; {_INSTALL}")
    files = configured_warehouse()
    if not files.exists():
        raise SettingsError(f"nothing is loaded into {files.name}; run make ingest TARGET=spark")
    remote = os.environ.get("SPARK_REMOTE") or DEFAULT_REMOTE
    _require_server(remote)
    return {"SPARK_REMOTE": remote, "WAREHOUSE_FILES": files.name}


def _require_server(remote: str) -> None:
    import grpc
    from pyspark.errors import PySparkException
    from pyspark.sql.connect.client import DefaultChannelBuilder

    try:
        builder = DefaultChannelBuilder(remote)
        with builder.toChannel() as channel:
            grpc.channel_ready_future(channel).result(_TIMEOUT_SECONDS)
    except PySparkException:
        raise SettingsError("SPARK_REMOTE must be a URL such as sc://host:port") from None
    except grpc.FutureTimeoutError:
        raise SettingsError(
            f"no Spark Connect server answers at {builder.endpoint}; start one, such as "
            "`sail spark server`, or set SPARK_REMOTE to sc://host:port"
        ) from None
