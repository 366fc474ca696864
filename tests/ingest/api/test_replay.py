"""The reader reads recorded responses of the real Tracker (project 1027488) completely."""

from datetime import UTC, datetime

import orjson
import pytest

from ingest.api.http.client import TrackerClient
from ingest.api.reader import ApiReader
from tests.ingest.api.test_reader import counts, read_all
from tests.support.replay import PROJECT_ID, recordings_folder, replay_server

pytestmark = pytest.mark.skipif(
    recordings_folder() is None,
    reason="the recordings are not here (set TRACKER_RECORDINGS to their folder)",
)


@pytest.fixture(scope="module")
def replayed():
    """All rows by table, and the reader."""
    with (
        replay_server(recordings_folder()) as server,
        TrackerClient(server.base_url, "0" * 32) as client,
    ):
        reader = ApiReader(client)
        return read_all(reader), reader


def test_every_recorded_list_becomes_rows(replayed):
    rows, reader = replayed
    assert counts(rows) == {
        "projects": 1, "me": 1, "accounts": 0, "memberships": 0, "labels": 21, "epics": 2,
        "stories": 70, "releases": 3, "iterations": 28, "activity": 81, "my_activity": 90,
        "story_transitions": 0, "notifications": 1,
    }  # fmt: skip
    assert reader.as_of == datetime(2017, 5, 3, 23, 29, 34, tzinfo=UTC)
    assert reader.failed_project_ids == []
    assert [sentence.partition(":")[0] for sentence in reader.skipped] == [
        "accounts",
        "memberships",
        "story_transitions",
    ]


def test_recorded_responses_have_no_misfits_or_unknown_fields(replayed):
    _, reader = replayed
    assert reader.drift.misfits == {}
    # The recorded client requested these fields.
    assert set(reader.drift.undeclared) == {
        ("projects", "account"),
        ("projects", "epics"),
        ("projects", "labels"),
    }


def test_recorded_activities_have_contiguous_versions(replayed):
    rows, _ = replayed
    versions = [row["project_version"] for row in rows["activity"]]
    assert versions == list(range(233, 152, -1))
    assert {row["project_id"] for row in rows["activity"]} == {PROJECT_ID}


def test_recorded_iterations_keep_the_ids_of_their_stories_without_the_bodies(replayed):
    rows, reader = replayed
    by_number = {row["number"]: row for row in rows["iterations"]}
    assert len(orjson.loads(by_number[2]["story_ids"])) == 5
    assert all(row["extra_fields"] is None for row in rows["iterations"])
    assert reader.keys_listed("iterations", PROJECT_ID) == {(PROJECT_ID, n) for n in by_number}
