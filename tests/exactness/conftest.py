import fcntl
import os
import pickle

import pytest

from tests.support.marts import compiled_models


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """The compiled models; the first worker compiles them for all."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    kept = folder / "compiled_models.pickle"
    with (folder / "compiled_models.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            compiled = compiled_models(folder / "compiled" / "warehouse.duckdb")
            kept.write_bytes(pickle.dumps(compiled))
    return pickle.loads(kept.read_bytes())
