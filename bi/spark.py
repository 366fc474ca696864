"""What has to be there before dbt builds with Spark, said in one line when it is not."""

from __future__ import annotations

import os
from importlib.util import find_spec

from ingest.run.settings import SettingsError
from ingest.warehouses.configured import configured_warehouse

DEFAULT_REMOTE = "sc://localhost:50051"  # where `sail spark server` listens
_PACKAGES = ("dbt.adapters.spark", "pyspark")
_INSTALL = "run make setup TARGET=spark"
_PATIENCE_SECONDS = 10


def settings_of_environment() -> dict[str, str]:
    """The variables that dbt reads: the server, and where the files are, as a whole path or URL.

    Raises:
        SettingsError: when a package is missing, no server answers, or there is nothing to read.
        WarehouseError: when the files cannot be read.
    """
    for package in _PACKAGES:
        if find_spec(package) is None:
            raise SettingsError(f"Spark requires the package {package}; {_INSTALL}")
    files = configured_warehouse()
    if not files.exists():
        raise SettingsError(f"nothing is loaded into {files.name}; make ingest TARGET=spark does")
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
            grpc.channel_ready_future(channel).result(_PATIENCE_SECONDS)
    except PySparkException:
        raise SettingsError("SPARK_REMOTE is no URL such as sc://host:port/;token=...") from None
    except grpc.FutureTimeoutError:
        raise SettingsError(
            f"no Spark Connect server answers at {builder.endpoint}; start one, such as "
            "`sail spark server`, or set SPARK_REMOTE to sc://host:port"
        ) from None
