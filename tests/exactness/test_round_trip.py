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
_NOT_READ = ("stories not read", "the stories of the project were not read")


@pytest.fixture(scope="module")
def built(models, tmp_path_factory):
    """The warehouses by format."""
    folder = tmp_path_factory.mktemp("round_trip")
    found = {each: QuickWarehouse(folder / f"{each}.duckdb") for each in ("api", "json", "csv")}
    with serve(simulate(stories=160)) as server:
        found["api"].sync(server)
        (as_of,) = found["api"].execute("select max(as_of) from pivotal_tracker_data.extracts")[0]
        load(found["json"], write_json_dump(server, folder / "dump", as_of.astimezone(UTC)))
        for project in get(server, "/projects"):
            path = Exporter(server, project).write_zip(folder / "exports", as_of.astimezone(UTC))
            load_csv(found["csv"], path, project)
    for each in found.values():
        marts.build(each.path, models)
    return found


def test_a_json_dump_gives_the_same_marts_as_the_api(built, models):
    stories = built["api"].execute("select project_id from pivotal_tracker_data.stories")
    with_stories = {project_id for (project_id,) in stories}

    def is_unknown(each):  # an empty list in a file is no row that says that there are no stories
        says_so = each.second in (None, "missing", "explained", *_NOT_READ)
        says_so = says_so or each.mart == "rpt_data_coverage"
        return says_so and each.row["project_id"] not in with_stories

    differing = Counter(
        (each.mart, each.column)
        for each in marts.differences(built["api"].path, built["json"].path, models)
        if each.column not in PROVENANCE and not is_unknown(each)
    )
    assert differing == {}


@pytest.mark.parametrize("mart", CSV_COLUMNS)
def test_a_csv_export_gives_the_columns_that_it_determines(built, mart):
    api, csv = (carried(built[each].path, mart, CSV_COLUMNS) for each in ("api", "csv"))
    assert api
    assert sorted((api - csv).elements(), key=str)[:3] == []
    assert sorted((csv - api).elements(), key=str)[:3] == []
