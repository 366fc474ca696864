"""From damaged CSV files every good row is loaded, whatever is wrong with the others."""

import os
from unittest import mock

import pytest

from ingest.archive import ArchiveError, ArchiveReader
from ingest.archive.csv import row_batches
from ingest.pipeline import run
from ingest.warehouses.configured import as_warehouse
from tests.ingest.archive.csv.mutants import mutant
from tests.ingest.archive.samples import Loaded

_COUNT = int(os.environ.get("MUTANTS", "100"))
_AT_ONCE = 50
_FIELDS = (
    ("title", "name"), ("type", "story_type"), ("current state", "current_state"),
    ("description", "description"),
)  # fmt: skip


def missing_or_wrong(good, stories):
    """The good rows that were not loaded correctly."""
    found = {each["id"]: each for each in stories}

    def is_right(identity, cells):
        row = found.get(identity)
        told = [(row[field], cells[name]) for name, field in _FIELDS if row and name in cells]
        return bool(row) and all((value or "") == cell for value, cell in told)

    return [identity for identity, cells in good.items() if not is_right(identity, cells)]


def lost_by(folder, seed):
    """The good rows of a mutant that are lost when it is loaded alone, and its mutations."""
    spoilt = mutant(seed)
    path = folder / "shop_20160301_1010.csv"
    path.write_bytes(spoilt.content)
    smallest = 0 if seed % 4 == 0 else row_batches._SMALL  # a quarter through DuckDB
    with mock.patch.object(row_batches, "_SMALL", smallest):
        try:
            stories = Loaded(path).stories
        except ArchiveError:
            stories = []
    return missing_or_wrong(spoilt.good, stories), spoilt.mutations


# Seeds found among ten thousand: several broken quotes in files whose rows do not start with the
# id, headers that are partly inside a text or have broken quoting, and a cell of more than a
# megabyte in a header.
_FOUND = (45, 860, 2416, 3719, 3818)


@pytest.mark.parametrize("seed", _FOUND)
def test_no_good_row_beside_several_faults_is_lost(tmp_path, seed):
    assert lost_by(tmp_path, seed)[0] == []


@pytest.mark.parametrize("first", range(0, _COUNT, _AT_ONCE))
def test_no_good_row_is_lost(tmp_path, first):
    found = {seed: lost_by(tmp_path, seed) for seed in range(first, first + _AT_ONCE)}
    assert {seed: lost for seed, lost in found.items() if lost[0]} == {}


@pytest.mark.parametrize("first", range(0, _COUNT, 100))
def test_spoilt_files_load_beside_each_other(tmp_path, first):
    good = {}
    for seed in range(first, first + 100):
        spoilt = mutant(seed, first_id=1_000 + 10 * seed)
        good |= spoilt.good
        (tmp_path / "files").mkdir(exist_ok=True)
        (tmp_path / "files" / f"p{seed}_20160301_1010.csv").write_bytes(spoilt.content)
    warehouse = as_warehouse(tmp_path / "warehouse.duckdb")
    run(ArchiveReader([tmp_path / "files"]), "archive", "files", warehouse)
    with warehouse.reading() as reading:
        rows = reading.rows("select id, name, story_type, current_state, description from "
                            "pivotal_tracker_data.stories", [])  # fmt: skip
    names = ("id", *(field for _, field in _FIELDS))
    assert missing_or_wrong(good, [dict(zip(names, row, strict=True)) for row in rows]) == []


def test_a_mutant_is_that_of_its_seed():
    assert mutant(7).content == mutant(7).content
    assert len({mutant(seed).content for seed in range(50)}) == 50
