"""The published copy: its content, its atomic replacement, and that any client can read it."""

import subprocess

import duckdb
import pytest

from bi.export import export
from bi.publish import PublishError, publish
from bi.published import PublishedCopy, PublishedError
from tests.conftest import ROOT, build

OLDEST_CLIENT = ROOT / ".venv-oldest-duckdb" / "bin" / "python"


def described(path, schema, catalog):
    """Columns with type, nullability and comment, and the tables' comments."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{path}' as {catalog} (read_only)")
        where = f"where database_name = '{catalog}' and schema_name = '{schema}'"
        columns = connection.execute(
            "select table_name, column_name, data_type, is_nullable, comment "
            f"from duckdb_columns() {where} and table_name != 'publication'"
        )
        comments = connection.execute(
            f"select table_name, comment from duckdb_tables() {where} "
            "and table_name != 'publication'"
        )
        return set(columns.fetchall()), set(comments.fetchall())


def test_the_copy_has_every_mart_with_its_rows_types_and_comments(
    built_warehouse, published, marts
):
    assert described(published.path, "main", "published") == described(
        built_warehouse, "marts", "warehouse"
    )
    with published.connect() as connection:
        connection.execute(f"attach '{built_warehouse}' as warehouse (read_only)")
        for mart in marts:
            for one, two in (("published.main", "warehouse.marts"), ("warehouse.marts",) * 2):
                missing = connection.execute(
                    f"select count(*) from (from {two}.{mart} except all from {one}.{mart})"
                ).fetchone()
                assert missing == (0,), mart


def test_the_copy_has_no_raw_tables_and_states_its_as_of(published, marts):
    with duckdb.connect(str(published.path), read_only=True) as connection:
        tables = connection.execute("select table_name from duckdb_tables()").fetchall()
        assert sorted(name for (name,) in tables) == sorted([*marts, "publication"])
        (row,) = connection.execute(
            "select sources, as_of = (select max(as_of) from dim_project) from publication"
        ).fetchall()
    assert row == ("demo: the demo workspace", True)


@pytest.mark.parametrize("name", ["tracker.duckdb", "main.duckdb", "dim_project.duckdb", "a b.db"])
def test_unqualified_names_find_the_marts_with_any_file_name(warehouse_copy, name, tmp_path):
    publish(warehouse_copy, tmp_path / "marts.duckdb", ["dim_project"])
    path = (tmp_path / "marts.duckdb").rename(tmp_path / name)
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.execute("select count(*) from dim_project").fetchone() == (8,)
    with PublishedCopy(path).connect() as connection:
        assert connection.execute("select count(*) from dim_project").fetchone() == (8,)


def test_a_copy_of_an_older_release_is_reported_in_one_line(tmp_path):
    path = tmp_path / "tracker.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.publication as select 1 as publication_id")
    with pytest.raises(PublishedError, match="is from another release; run make build"):  # noqa: SIM117
        with PublishedCopy(path).connect():
            pass


def test_a_mart_that_was_not_built_is_not_published(warehouse_copy, tmp_path):
    with duckdb.connect(str(warehouse_copy)) as connection:
        connection.execute("create table marts.fct_of_old as select 1 as one")
    published_copy = publish(warehouse_copy, tmp_path / "marts.duckdb", ["dim_project"])
    assert published_copy.rows == {"dim_project": 8}


def test_a_mart_that_lost_rows_is_named(warehouse_copy, tmp_path):
    path = tmp_path / "marts.duckdb"
    publish(warehouse_copy, path, ["dim_project", "dim_date"])
    with duckdb.connect(str(warehouse_copy)) as connection:
        connection.execute("delete from marts.dim_project where project_id % 2 = 0")
        left = connection.execute("select count(*) from marts.dim_project").fetchone()[0]
    published_copy = publish(warehouse_copy, path, ["dim_project", "dim_date"])
    assert published_copy.shrunk == {"dim_project": (8, left)}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"a letter to a friend", "is not a DuckDB file", id="some other file"),
        pytest.param(None, "is not a published copy", id="somebody's database"),
    ],
)
def test_a_file_that_is_not_a_published_copy_is_never_overwritten(
    warehouse_copy, tmp_path, content, message
):
    path = tmp_path / "marts.duckdb"
    if content is None:
        with duckdb.connect(str(path)) as connection:
            connection.execute("create table precious as select 42 as answer")
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    with pytest.raises(PublishError, match=message):
        publish(warehouse_copy, path, ["dim_project"])
    assert path.read_bytes() == before


def test_a_failed_publication_leaves_the_old_copy_and_no_other_files(warehouse_copy, tmp_path):
    folder = tmp_path / "published"
    path = folder / "marts.duckdb"
    publish(warehouse_copy, path, ["dim_project"])
    before = path.read_bytes(), path.stat().st_mtime_ns
    with pytest.raises(PublishError, match="lacks fct_missing; run make build"):
        publish(warehouse_copy, path, ["dim_project", "fct_missing"])
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert [each.name for each in folder.iterdir()] == ["marts.duckdb"]


def test_a_missing_copy_is_reported_in_one_line(tmp_path):
    with pytest.raises(PublishedError, match=r"does not exist; run make build$"):  # noqa: SIM117
        with PublishedCopy(tmp_path / "marts.duckdb").connect():
            pass


def test_an_open_connection_keeps_reading_the_old_copy(warehouse_copy, tmp_path):
    path = tmp_path / "marts.duckdb"
    publish(warehouse_copy, path, ["dim_project"])
    copy = PublishedCopy(path)
    with copy.connect() as before:
        old = before.execute("select publication_id from publication").fetchone()
        publish(warehouse_copy, path, ["dim_project"])
        assert before.execute("select publication_id from publication").fetchone() == old
        with copy.connect() as after:
            assert after.execute("select publication_id from publication").fetchone() != old


@pytest.mark.skipif(not OLDEST_CLIENT.exists(), reason="DuckDB 1.0 is not installed (make test)")
@pytest.mark.parametrize("name", ["marts.duckdb", "tracker.duckdb"])
def test_duckdb_1_0_opens_the_copy(built_warehouse, marts, tmp_path, name):
    path = tmp_path / name
    published_copy = publish(built_warehouse, path, marts)
    script = (
        "import duckdb, sys\n"
        "assert duckdb.__version__ == '1.0.0', duckdb.__version__\n"
        "connection = duckdb.connect(sys.argv[1], read_only=True)\n"
        "for mart in sys.argv[2:]:\n"
        "    read = f'select count(*), max(hash(mart)) from {mart} as mart'\n"
        "    print(mart, connection.execute(read).fetchone()[0])\n"
    )
    ran = subprocess.run(
        [OLDEST_CLIENT, "-c", script, str(path), *marts], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split("\n")[:-1] == [f"{mart} {published_copy.rows[mart]}" for mart in marts]


@pytest.mark.parametrize(
    ("value", "problem"),
    [("md:tracker", "another kind of database"), ("staging.duckdb", "a schema or catalog")],
)
def test_a_path_that_cannot_be_published_to_is_refused_before_the_build(
    warehouse_copy, value, problem
):
    finished = build(warehouse=warehouse_copy, MARTS_PATH=value)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert problem in finished.stderr


def test_the_warehouse_is_not_overwritten_by_the_copy(warehouse_copy):
    finished = build(warehouse=warehouse_copy, MARTS_PATH=str(warehouse_copy))
    assert (finished.returncode, finished.stdout) == (1, "")
    assert "must be different files" in finished.stderr


def test_each_published_table_is_exported_as_parquet(published, tmp_path):
    written = export(published, tmp_path)
    with published.connect() as connection:
        for path in written:
            counted = f"select (select count(*) from '{path}'), (select count(*) from {path.stem})"
            parquet, mart = connection.execute(counted).fetchone()
            assert parquet == mart, path.stem
        assert [path.stem for path in written] == published.tables(connection)
