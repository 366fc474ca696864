"""The dlt source by itself, without the lock and the checks of `ingest.pipeline`."""

import dlt

from ingest.source import Extract, pivotal_tracker_source
from tests.ingest.test_pipeline import TWO_LABELS, ListReader


def test_any_dlt_pipeline_can_load_the_source(tmp_path):
    pipeline = dlt.pipeline(
        "of_somebody_else",
        pipelines_dir=str(tmp_path / "pipelines"),
        destination=dlt.destinations.duckdb(str(tmp_path / "other.duckdb")),
        dataset_name="tracker",
    )
    for _ in range(2):  # the second run replaces rows by their keys
        extract = Extract(ListReader(TWO_LABELS), "api", "https://tracker.test")
        pipeline.run(pivotal_tracker_source(extract), loader_file_format="parquet")
    with pipeline.sql_client() as client:
        labels = client.execute_sql("select id, name from labels order by id")
        extracts = client.execute_sql("select source_name from extracts")
    assert labels == [(1, "a"), (2, "b")]
    assert extracts == [("https://tracker.test",)] * 2
