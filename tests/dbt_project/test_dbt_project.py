"""The dbt project follows the design's rules, including those that dbt itself does not check."""

import json
import re
from importlib import resources

import duckdb
import jsonschema
import pytest
import yaml

from bi.superset.content import Content
from docs.raw_tables import index
from ingest.tables import TABLES
from ingest.tables.__main__ import SOURCES, sources
from tests.conftest import ROOT

PROJECT = ROOT / "dbt_project"
PROPERTIES = sorted((PROJECT / "models").rglob("*.yml"))
MODELS = sorted((PROJECT / "models").rglob("*.sql"))


@pytest.fixture(scope="module")
def manifest(built_warehouse):
    return json.loads((built_warehouse.parent / "target" / "manifest.json").read_text())


@pytest.fixture(scope="module")
def models(manifest):
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]


@pytest.fixture(scope="module")
def schema():
    """dbt's own schema of property files, because dbt 1.11 ignores unknown keys on DuckDB."""
    text = resources.files("dbt.jsonschemas.resources").joinpath("latest.json").read_text()
    return jsonschema.Draft7Validator(json.loads(text))


@pytest.mark.parametrize("path", PROPERTIES, ids=lambda path: path.stem)
def test_property_files_have_only_keys_that_dbt_knows(path, schema):
    text = path.read_text().replace("severity: warn", "severity: Warn")
    text = re.sub(
        r"enabled: >-\s+\{\{.*?\}\}", "enabled: true", text, flags=re.DOTALL
    )  # once rendered
    properties = yaml.safe_load(text)
    # The schema is of a later dbt with another form of metrics; dbt itself parses ours strictly.
    properties.pop("metrics", None)
    errors = [error.message for error in schema.iter_errors(properties)]
    assert errors == []


def test_an_unknown_key_is_detected(schema):
    content = {"models": [{"name": "a", "descripton": "b"}]}
    assert list(schema.iter_errors(content))


NOT_PORTABLE = {
    "qualify": r"\bqualify\b",
    "group by all, order by all": r"\bby all\b",
    "a cast by ::": r"::",
    "integer division by //": r"//",
    "try_cast": r"\btry_cast\b",
    "unnest: macros/engine/unnest_json.sql": r"\bunnest\(",
    "list functions": r"\blist_\w+\(",
    "select * exclude, replace": r"\*\s+(exclude|replace)\b",
    "asof join": r"\basof\b",
    "union by name": r"\bby name\b",
    "strftime, strptime": r"\bstr[fp]time\(",
    "date_diff, datediff, date_sub: macros/engine/": r"\bdate_?(diff|sub|add)\(",
    "epoch functions: macros/engine/seconds_between.sql": r"\bepoch\w*\(",
    "arg_max, max_by, any_value: row_number() instead": r"\b(arg_\w+|m(ax|in)_by|any_value)\(",
    "median, quantile: macros/engine/median.sql": r"(?<!\{ )\b(median|quantile\w*)\(",
    "is distinct from: differ(), or coalesce of a text": r"\bdistinct\s+from\b",
    "union distinct: union all": r"\bunion distinct\b",
    "decimals: as_decimal()": r"\bas decimal\(",
    "string_agg: macros/engine/joined_text.sql": r"\bstring_agg\(",
    "an interval without quotes": r"\binterval\s+\d",
    "integers that PostgreSQL calls int: cast to bigint": r"^\s+length\(",
}


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_model_uses_only_sql_that_all_engines_run(path):
    sql = re.sub(r"--.*|\{#.*?#\}", "", path.read_text())
    found = [rule for rule, pattern in NOT_PORTABLE.items() if re.search(pattern, sql, re.M)]
    assert found == []


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_model_depends_neither_on_the_target_nor_on_the_clock(path):
    sql = path.read_text()
    assert not re.search(r"if\s+target", sql)
    assert not re.search(r"current_timestamp|current_date|\bnow\(\)|getdate", sql)
    assert "select distinct" not in sql or "--" in sql


def test_the_sources_are_the_declared_raw_tables():
    """`python -m ingest.tables` updates them."""
    current = SOURCES.read_text()
    assert sources(current) == current


def test_the_profiles_of_both_folders_differ_only_in_the_path_of_the_warehouse():
    in_root, in_project = (
        yaml.safe_load((folder / "profiles.yml").read_text()) for folder in (ROOT, PROJECT)
    )
    for profiles in (in_root, in_project):
        assert profiles["tracker"]["outputs"]["duckdb"].pop("path")
    assert in_root == in_project


def test_every_macro_is_described(manifest):
    ours = [each for each in manifest["macros"].values() if each["package_name"] == "tracker"]
    engines = ("default", "duckdb", "postgres", "redshift", "snowflake", "bigquery", "spark")
    public = [
        each["name"]
        for each in ours
        if each["original_file_path"].startswith("dbt_project/macros/")
        and not each["name"].startswith(("materialization_", "databricks__"))
        and not each["name"].startswith(tuple(f"{engine}__" for engine in engines))
    ]
    described = yaml.safe_load((PROJECT / "macros" / "_macros.yml").read_text())["macros"]
    assert sorted(public) == sorted(each["name"] for each in described)
    assert all(each["description"] for each in described)


def test_no_example_has_the_name_of_a_model(manifest, models):
    analyses = {
        node["name"] for node in manifest["nodes"].values() if node["resource_type"] == "analysis"
    }
    assert analyses
    assert not analyses & {node["name"] for node in models}


# A mart may read marts of its own folder and of earlier ones.
MART_FOLDERS = ["core", "flow", "iterations", "rework", "plans", "history", "trust", "reports"]
LONGEST_CHAIN_OF_VIEWS = 5


def test_models_read_only_earlier_layers_and_folders(models):
    def position(node):
        layer = ["staging", "intermediate", "marts"].index(node["fqn"][1])
        return layer, MART_FOLDERS.index(node["fqn"][2]) if node["fqn"][1] == "marts" else 0

    positions = {node["unique_id"]: position(node) for node in models}
    backwards = [
        (node["name"], parent)
        for node in models
        for parent in node["depends_on"]["nodes"]
        if parent in positions and positions[parent] > positions[node["unique_id"]]
    ]
    assert backwards == []


def test_chains_of_views_are_short(models):
    views = {
        node["unique_id"]: node["depends_on"]["nodes"]
        for node in models
        if node["config"]["materialized"] == "view"
    }

    def chain_length(name):
        return 1 + max(map(chain_length, views[name]), default=0) if name in views else 0

    longest = max(views, key=chain_length)
    assert chain_length(longest) <= LONGEST_CHAIN_OF_VIEWS, longest


def test_every_raw_table_has_a_staging_model(models):
    staged = [node for node in models if node["schema"] == "staging"]
    read = {name for node in staged for _, name in node["sources"]}
    assert read >= set(TABLES)
    # Apart from staging, only the model of findings about dropped rows reads raw tables.
    readers = {node["name"] for node in models if node["sources"] and node["schema"] != "staging"}
    assert readers == {"int_findings_in_raw_rows"}


def test_the_index_of_raw_tables_is_current(manifest):
    current = (ROOT / "docs" / "raw-tables.md").read_text()
    assert "- staging: \n" not in current, "every raw table has a staging model"
    assert current == index(manifest), "update it with make docs"


def test_every_model_is_described(models):
    assert [node["name"] for node in models if not node["description"]] == []


def test_marts_have_a_contract_a_key_and_described_columns(models):
    marts = [node for node in models if node["schema"] == "marts"]
    assert marts
    for mart in marts:
        columns = mart["columns"].values()
        assert mart["config"]["contract"]["enforced"], mart["name"]
        assert all(column["description"] and column["data_type"] for column in columns)
        constraints = [
            *mart["constraints"],
            *(each for col in columns for each in col["constraints"]),
        ]
        assert "primary_key" in {each["type"] for each in constraints}, mart["name"]


def test_the_described_columns_are_the_built_columns(built_warehouse, models):
    with duckdb.connect(str(built_warehouse), read_only=True) as connection:
        rows = connection.execute(
            "select table_name, list(column_name) from duckdb_columns() "
            "where schema_name in ('staging', 'intermediate', 'marts') group by table_name"
        ).fetchall()
    built = {table: set(columns) for table, columns in rows}
    described = {node["name"]: set(node["columns"]) for node in models}
    unknown = {name: columns - built[name] for name, columns in described.items()}
    assert {name: columns for name, columns in unknown.items() if columns} == {}
    # Intermediate models describe only columns whose names do not explain them.
    missing = {
        node["name"]: built[node["name"]] - described[node["name"]]
        for node in models
        if node["schema"] != "intermediate"
    }
    assert {name: columns for name, columns in missing.items() if columns} == {}


def test_descriptions_are_comments_in_the_database(built_warehouse, models):
    with duckdb.connect(str(built_warehouse), read_only=True) as connection:
        commented = connection.execute(
            "select table_name, count(*) filter (where comment is null) from duckdb_columns() "
            "where schema_name = 'marts' group by table_name"
        ).fetchall()
        tables = connection.execute(
            "select table_name from duckdb_tables() "
            "where schema_name = 'marts' and comment is not null"
        ).fetchall()
    assert all(missing == 0 for _, missing in commented)
    assert len(tables) == len(commented)


def test_every_mart_is_in_an_exposure(manifest, models):
    read = {name for each in manifest["exposures"].values() for name in each["depends_on"]["nodes"]}
    marts = {node["unique_id"] for node in models if node["schema"] == "marts"}
    assert marts <= read


@pytest.mark.parametrize("name", ["dashboard", "report"])
def test_an_exposure_depends_on_the_marts_that_its_pictures_read(name, manifest, models):
    files = [*(ROOT / "bi" / "pictures").glob("*.py"), ROOT / "bi" / "answers.py"]
    queries = "\n".join(file.read_text() for file in files)
    read = {
        node["unique_id"]
        for node in models
        if node["schema"] == "marts" and re.search(rf"\b(from|join) {node['name']}\b", queries)
    }
    assert len(read) > 20
    declared = manifest["exposures"][f"exposure.tracker.{name}"]["depends_on"]["nodes"]
    assert set(declared) == read


def test_the_exposure_of_superset_depends_on_its_data_sets(manifest):
    declared = manifest["exposures"]["exposure.tracker.superset_dashboard"]["depends_on"]["nodes"]
    assert set(declared) == {f"model.tracker.{each.mart}" for each in Content().data_sets}


def test_the_overview_links_to_every_mart_and_its_example_by_folder(manifest, models):
    overview = (PROJECT / "models" / "docs" / "overview.md").read_text()
    sections = re.split(
        r"^Folder `marts/(\w+)`\.$", overview.partition("## What to slice by")[0], flags=re.M
    )
    linked = {
        folder: set(re.findall(r"\(#!/(?:analysis|model)/([\w.]+)\)", text))
        for folder, text in zip(sections[1::2], sections[2::2], strict=True)
    }
    there = {}
    for node in models:
        if node["schema"] == "marts":
            example = f"analysis.tracker.example_{node['name']}"
            there.setdefault(node["fqn"][-2], set()).update({node["unique_id"], example})
    assert linked == there
    links = set(re.findall(r"\(#!/\w+/([\w.]+)\)", overview))
    assert links <= set(manifest["nodes"])
