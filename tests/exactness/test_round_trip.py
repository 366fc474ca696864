"""The demo gives the same marts from its API, from a JSON dump and from CSV exports.

A JSON dump has everything that the API has, so every mart (including future ones) must be equal,
except for columns that state the source of a row. The columns that a CSV export determines are
listed by mart.
"""

from collections import Counter
from datetime import UTC

import pytest

from simulator import serve, simulate
from tests.exactness.exports import CSV_COLUMNS, carried, get, load, load_csv
from tests.ingest.api.quick_warehouse import QuickWarehouse
from tests.support import marts
from tests.support.demo_archives import Exporter, write_json_dump

# Columns that state the source of a row; all other columns must be equal.
PROVENANCE = {
    "record_source", "record_sources", "source_file", "source_line", "file_count", "file_paths",
    "tracker_as_of",
}  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The warehouses by format, and the compiled models."""
    folder = tmp_path_factory.mktemp("round_trip")
    found = {each: QuickWarehouse(folder / f"{each}.duckdb") for each in ("api", "json", "csv")}
    models = marts.compiled_models(folder / "empty.duckdb")
    with serve(simulate(stories=160)) as server:
        found["api"].sync(server)
        (as_of,) = found["api"].execute("select max(as_of) from pivotal_tracker_data.extracts")[0]
        load(found["json"], write_json_dump(server, folder / "dump", as_of.astimezone(UTC)))
        for project in get(server, "/projects"):
            path = Exporter(server, project).write_zip(folder / "exports", as_of.astimezone(UTC))
            load_csv(found["csv"], path, project)
    for each in found.values():
        marts.build(each.path, models)
    return found, models


def test_a_json_dump_gives_the_same_marts_as_the_api(built):
    found, models = built
    differing = Counter(
        (each.mart, each.column)
        for each in marts.differences(found["api"].path, found["json"].path, models)
        if each.column not in PROVENANCE
    )
    assert differing == {}


@pytest.mark.parametrize("mart", CSV_COLUMNS)
def test_a_csv_export_gives_the_columns_that_it_determines(built, mart):
    found, _ = built
    api, csv = (carried(found[each].path, mart, CSV_COLUMNS) for each in ("api", "csv"))
    assert api
    assert sorted((api - csv).elements(), key=str)[:3] == []
    assert sorted((csv - api).elements(), key=str)[:3] == []
