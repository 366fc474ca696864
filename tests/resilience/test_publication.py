"""Fifty builds are published while eight readers query continuously."""

import multiprocessing

import duckdb

from bi.publish import publish

READERS, BUILDS = 8, 50


def read_until(path, stop, results):
    """Query the published file continuously, each time with a new connection."""
    seen, queries = set(), 0
    try:
        while not stop.is_set():
            with duckdb.connect(path, read_only=True) as connection:
                for _ in range(3):
                    states = connection.execute(
                        "select max(generation), min(generation), count(*) from ("
                        "select generation from marts.fct_one union all "
                        "select generation from marts.fct_two)"
                    ).fetchone()
                    seen.add(states)
                    queries += 1
        results.put((queries, seen, None))
    except Exception as error:  # reported by the test
        results.put((queries, seen, repr(error)))


def test_readers_never_fail_and_never_see_marts_of_different_builds(tmp_path):
    """Each build rewrites two marts; a reader must see both from the same build."""
    warehouse, path = tmp_path / "warehouse.duckdb", tmp_path / "marts.duckdb"

    def rebuild(generation):
        with duckdb.connect(str(warehouse)) as connection:
            for schema in ("marts", "intermediate", "pivotal_tracker_data"):
                connection.execute(f"create schema if not exists {schema}")
            connection.execute(
                "create or replace table intermediate.int_projects as select now() as as_of"
            )
            connection.execute(
                "create or replace table pivotal_tracker_data.extracts as "
                "select 'demo' as source_kind, 'test' as source_name, now() as started_at"
            )
            for mart in ("fct_one", "fct_two"):
                connection.execute(
                    f"create or replace table marts.{mart} as "
                    f"select {generation} as generation from range(20000)"
                )
        publish(warehouse, path, ["fct_one", "fct_two"])

    rebuild(0)
    context = multiprocessing.get_context("spawn")
    stop, results = context.Event(), context.Queue()
    readers = [
        context.Process(target=read_until, args=(str(path), stop, results)) for _ in range(READERS)
    ]
    for reader in readers:
        reader.start()
    for generation in range(1, BUILDS + 1):
        rebuild(generation)
    stop.set()
    found = [results.get(timeout=60) for _ in readers]
    for reader in readers:
        reader.join(timeout=60)
    assert [error for _, _, error in found if error] == []
    states = set().union(*(seen for _, seen, _ in found))
    assert states <= {(each, each, 40000) for each in range(BUILDS + 1)}
    assert min(queries for queries, _, _ in found) > 0
    assert len(states) > 1
