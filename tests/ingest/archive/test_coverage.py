"""The summary of a run lists what each project's files contain and lack."""

import json

from tests.ingest.archive.samples import Loaded, story, write_csv

STORY = {"kind": "story", "id": 7, "project_id": 9, "name": "x", "story_type": "bug",
         "current_state": "started", "created_at": "2020-01-01T00:00:00Z"}  # fmt: skip
HISTORY = """\
ID,Type,Message,Performed By,Occurred At
101,feature,Ada Obi started this feature,Ada Obi,2015-11-20 10:00:00 UTC
"""


def test_a_csv_lacks_state_changes_and_the_summary_says_what_has_them(tmp_path):
    write_csv(tmp_path / "shop_20151121_1010.csv", [story(101), story(102, comment=["hi"])])
    notes = Loaded(tmp_path).reader.notes
    assert notes[0] == (
        "shop: 2 stories, 1 with comments, from 1 CSV export of 2015-11-21; "
        "no state changes, iterations, members, settings"
    )
    assert notes[1].startswith("no state changes: cycle times stay empty; project history exports")
    assert len(notes) == 5


def test_a_csv_with_a_history_has_state_changes(tmp_path):
    write_csv(tmp_path / "shop_20151121_1010.csv", [story(101)])
    (tmp_path / "project_history_shop_20151121_1010.csv").write_text(HISTORY)
    note = Loaded(tmp_path).reader.notes[0]
    assert "1 activity, 1 state change, from 1 project history and 1 CSV export" in note
    assert "no state changes" not in note


def test_a_complete_dump_lacks_nothing(tmp_path):
    dump = [
        {"kind": "project", "id": 9, "name": "Shop", "iteration_length": 1},
        {**STORY, "comments": [{"id": 1, "text": "hi"}], "transitions": [{"state": "started"}]},
        {"kind": "iteration", "project_id": 9, "number": 1, "start": "2020-01-06T00:00:00Z",
         "finish": "2020-01-13T00:00:00Z"},
        {"kind": "project_membership", "id": 3, "project_id": 9, "person": {"id": 5, "name": "A"}},
    ]  # fmt: skip
    (tmp_path / "dump.json").write_text(json.dumps(dump))
    assert Loaded(tmp_path).reader.notes == [
        "Shop: 1 story, 1 iteration, 1 state change, 1 with comments, 1 member, "
        "from 1 JSON file of 2020-01-01"
    ]


def test_only_the_first_of_many_projects_are_listed(tmp_path):
    stories = [{**STORY, "id": number, "project_id": number} for number in range(1, 14)]
    (tmp_path / "dump.json").write_text(json.dumps(stories))
    notes = Loaded(tmp_path).reader.notes
    assert "and 3 more projects: see rpt_data_coverage" in notes
    assert len(notes) == 16
