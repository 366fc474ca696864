"""Every good row of a damaged dump, zip or backup is loaded, whatever else is wrong."""

import os
import warnings

import pytest

from ingest.archive import ArchiveError, ArchiveReader
from ingest.pipeline import run
from ingest.tables import TABLES
from ingest.warehouses.configured import as_warehouse
from tests.conftest import IS_SLOW_RUN
from tests.ingest.archive.mutants import make
from tests.ingest.archive.samples import Loaded

_COUNT = int(os.environ.get("MUTANTS", 100 if IS_SLOW_RUN else 50))
_TOGETHER = 100


@pytest.fixture(autouse=True)
def _silent_zips():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about two members with the same name
        yield


def lost_or_changed(mutants, rows):
    """The good rows that were not loaded correctly, except those mentioned by other records."""
    mentioned_ids = set().union(*(each.mentioned_ids for each in mutants))
    return [
        (mutant.name, key)
        for mutant in mutants
        for key, good in mutant.good.items()
        if mentioned_ids.isdisjoint(map(str, key[1]))
        and any(rows.get(key, {}).get(name, "no row") != value for name, value in good.items())
    ]


def by_key(table_name, rows):
    key = TABLES[table_name].key
    return {(table_name, tuple(row[name] for name in key)): row for row in rows}


@pytest.mark.parametrize("first", range(0, _COUNT, 50))
def test_no_good_row_is_lost(tmp_path, first):
    lost = []
    for seed in range(first, min(first + 50, _COUNT)):
        folder = tmp_path / str(seed)
        folder.mkdir()
        mutant = make(folder, seed)
        rows = {}
        try:
            for name, found in Loaded(folder).tables.items():
                rows |= by_key(name, found)
        except ArchiveError as error:
            lost.append((mutant.name, error))
        lost += lost_or_changed([mutant], rows)
    assert lost == []


@pytest.mark.parametrize("first", range(0, _COUNT, _TOGETHER))
def test_damaged_files_are_loaded_together(tmp_path, first):
    folder = tmp_path / "files"
    folder.mkdir()
    seeds = range(first, min(first + _TOGETHER, _COUNT))
    mutants = [make(folder, seed, number) for number, seed in enumerate(seeds)]
    warehouse = as_warehouse(tmp_path / "warehouse.duckdb")
    for _ in range(2):  # what was loaded does not disturb the next load
        run(ArchiveReader([folder]), "archive", "files", warehouse)
        assert lost_or_changed(mutants, loaded_rows(warehouse, mutants)) == []


def loaded_rows(warehouse, mutants):
    """The rows of the tables that have good rows, by key; each key occurs once."""
    rows = {}
    with warehouse.reading() as reading:
        for name in {table for mutant in mutants for table, _ in mutant.good}:
            columns = list(TABLES[name].columns)
            listed = ", ".join(f'"{column}"' for column in columns)
            found = reading.rows(f"select {listed} from pivotal_tracker_data.{name}", [])
            rows |= by_key(name, [dict(zip(columns, row, strict=True)) for row in found])
            keys = ", ".join(TABLES[name].key)
            duplicates = (
                f"select {keys} from pivotal_tracker_data.{name} group by all having count(*) > 1"
            )
            assert reading.rows(duplicates, []) == []
    return rows


def test_a_seed_determines_its_mutant(tmp_path):
    def content(folder, seed):
        (tmp_path / folder).mkdir(exist_ok=True)
        make(tmp_path / folder, seed)
        return {each.name: each.read_bytes() for each in (tmp_path / folder).iterdir()}

    assert content("a", 6) == content("b", 6)
    assert len({str(content(f"c{seed}", seed)) for seed in range(0, 90, 3)}) == 30
