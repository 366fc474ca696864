"""Every recorded API response is loaded as JSON, or refused for the expected reason."""

import json
from collections import Counter
from datetime import UTC, datetime

import pytest

from tests.ingest.archive.samples import Loaded, shared_folder

RECORDINGS = shared_folder("recordings")
pytestmark = pytest.mark.skipif(RECORDINGS is None, reason="../shared/recordings is not there")


@pytest.fixture(scope="module")
def loaded():
    return Loaded(RECORDINGS)


def test_all_recordings_load_with_exact_counts(loaded):
    assert {name: len(rows) for name, rows in loaded.tables.items() if rows} == {
        "stories": 91, "projects": 10, "epics": 3, "labels": 25, "releases": 6, "iterations": 28,
        "people": 9, "activity": 149, "story_transitions": 7, "cycle_time_details": 21,
        "notifications": 2, "me": 1, "archive_files": 193, "rejected_rows": 15,
    }  # fmt: skip
    assert loaded.reader.as_of == datetime(2021, 4, 23, 21, 44, 2, tzinfo=UTC)


def test_refused_recordings_have_the_expected_reason(loaded):
    reasons = Counter(each["reason"] for each in loaded.rejected_rows)
    assert reasons == {
        "an error response, not a record": 13,
        "is XML of Tracker's retired API v3; only v5 data is read": 1,
        "a change without its activity": 1,
    }
    skipped = [each for each in loaded.reader.skipped if "without Tracker data" in each]
    assert all("manifest.json" in each for each in skipped)
    assert len(skipped) == 7
    assert "workspace: 4 records, for which there is no raw table" in loaded.reader.skipped
    # Totals of one iteration's stories, not of the project.
    one_container = "daily_history_container: 1 records, for which there is no raw table"
    assert one_container in loaded.reader.skipped
    assert "account_membership: 7 records, for which there is no raw table" in loaded.reader.skipped


def test_the_newest_version_of_each_record_is_kept(loaded):
    versions = {each["id"]: each["version"] for each in loaded.projects}
    assert versions[1027488] == 493
    (found,) = [each for each in loaded.stories if each["id"] == 66728004]
    assert found["updated_at"] == datetime(2021, 4, 23, 21, 23, 18, tzinfo=UTC)
    assert len(json.loads(found["comments"])) == 57
    assert len(json.loads(found["tasks"])) == 8


def test_stubs_are_not_stories(loaded):
    assert all(each["current_state"] and each["created_at"] for each in loaded.stories)


def test_web_hook_times_are_instants(loaded):
    kinds = [each for each in loaded.activity if each["project_id"] == 2172644]
    assert [each["occurred_at"].year for each in kinds] == [2021]
    assert not any(each["occurred_at"] is None for each in loaded.activity)
    assert not loaded.reader.drift.misfits


def test_no_token_is_kept(loaded):
    assert "api_token" not in str(loaded.tables)
