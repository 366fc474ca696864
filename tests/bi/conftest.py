"""The demo, built and published as by `make build`."""

import json
import shutil
from pathlib import Path

import pytest

from bi.published import PublishedCopy


@pytest.fixture(scope="session")
def marts(built_warehouse):
    """The names of all marts in the build."""
    manifest = json.loads((built_warehouse.parent / "target" / "manifest.json").read_text())
    return sorted(
        node["alias"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] == "marts"
    )


@pytest.fixture(scope="session")
def published(built_warehouse) -> PublishedCopy:
    """The copy that was published beside the warehouse."""
    return PublishedCopy(built_warehouse.parent / "marts.duckdb")


@pytest.fixture
def warehouse_copy(built_warehouse, tmp_path) -> Path:
    """A warehouse that a test may change."""
    return Path(shutil.copy(built_warehouse, tmp_path / "warehouse.duckdb"))
