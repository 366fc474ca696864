"""Load Tracker with dlt alone: only the destination changes. See docs/ecosystem.md."""

import dlt

from ingest import pivotal_tracker_source

if __name__ == "__main__":
    pipeline = dlt.pipeline(
        "pivotal_tracker_pipeline", destination="duckdb", dataset_name="pivotal_tracker_data"
    )
    print(pipeline.run(pivotal_tracker_source()))
