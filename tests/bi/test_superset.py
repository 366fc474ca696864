"""`python -m bi.superset` can be repeated, and does not change other objects in Superset.

The tests use a fake, and also a real Superset if SUPERSET_URL and SUPERSET_PASSWORD are set and its
host has access to this machine's files.
"""

import json
import os

import pytest

from bi.published import PublishedCopy
from bi.superset.__main__ import main, make
from bi.superset.client import Superset, SupersetError
from bi.superset.content import Content, layout
from tests.bi.fake_superset import serve


@pytest.fixture
def fake():
    with serve() as fake:
        yield fake


def test_every_chart_answers_and_a_second_run_changes_nothing(fake, published):
    superset = Superset(fake.url, "admin", "secret")
    rows = make(superset, published, str(published.path), Content())
    assert len(rows) == 6
    assert all(rows.values())
    first = json.dumps(fake.objects)
    assert make(superset, published, str(published.path), Content()) == rows
    assert json.dumps(fake.objects) == first
    assert {kind: len(each) for kind, each in fake.objects.items()} == {
        "database": 1,
        "dataset": 5,
        "chart": 6,
        "dashboard": 1,
    }


def test_data_sets_carry_the_descriptions_of_the_marts(fake, published):
    make(Superset(fake.url, "admin", "secret"), published, str(published.path), Content())
    for data_set in fake.objects["dataset"].values():
        assert "One row per" in data_set["description"]
        assert all(column["description"] for column in data_set["columns"])
    (database,) = fake.objects["database"].values()
    assert json.loads(database["extra"])["engine_params"]["connect_args"] == {"read_only": True}


def test_metrics_of_other_users_are_kept(fake, published):
    superset = Superset(fake.url, "admin", "secret")
    make(superset, published, str(published.path), Content())
    metrics = fake.objects["dataset"][1]["metrics"]
    metric_of_a_user = {"id": 999, "metric_name": "mine", "expression": "1", "verbose_name": "Mine"}
    metrics.append(metric_of_a_user)
    make(superset, published, str(published.path), Content())
    assert metric_of_a_user in fake.objects["dataset"][1]["metrics"]
    assert len(fake.objects["dataset"][1]["metrics"]) == len(Content().data_sets[0].metrics) + 1


def test_the_dashboard_shows_all_charts_in_rows_of_twelve_columns():
    position = layout(list(enumerate(Content().charts, start=1)))
    rows = [part for name, part in position.items() if name.startswith("ROW-")]
    chart_ids = [position[name]["meta"]["chartId"] for row in rows for name in row["children"]]
    assert chart_ids == [1, 2, 3, 4, 5, 6]
    for row in rows:
        assert sum(position[name]["meta"]["width"] for name in row["children"]) <= 12


def test_a_wrong_password_is_reported_in_one_line(fake, published, monkeypatch, capsys):
    monkeypatch.setenv("MARTS_PATH", str(published.path))
    monkeypatch.setenv("SUPERSET_PASSWORD", "wrong")
    assert main(["--url", fake.url]) == 1
    assert capsys.readouterr().err == "error: POST security/login: 401 Not authorized\n"


def test_without_a_superset_the_address_is_named(published, monkeypatch, capsys):
    monkeypatch.setenv("MARTS_PATH", str(published.path))
    monkeypatch.setenv("SUPERSET_PASSWORD", "secret")
    assert main(["--url", "http://127.0.0.1:9"]) == 1
    assert "error: POST http://127.0.0.1:9/api/v1/security/login" in capsys.readouterr().err


def test_an_error_contains_supersets_reason(fake):
    superset = Superset(fake.url, "admin", "secret")
    with pytest.raises(SupersetError, match="POST chart/: 400 .*Unknown field"):
        superset.put("chart", {"colour": "red"}, slice_name="It's mine!")


@pytest.mark.skipif("SUPERSET_URL" not in os.environ, reason="SUPERSET_URL is not set")
def test_a_real_superset_has_the_same_after_a_second_run(published: PublishedCopy):
    superset = Superset(os.environ["SUPERSET_URL"], "admin", os.environ["SUPERSET_PASSWORD"])
    results = []
    for _ in range(2):
        rows = make(superset, published, str(published.path), Content())
        assert len(rows) == 6
        assert all(rows.values())
        results.append(
            {kind: superset.call("GET", f"{kind}/")["ids"] for kind in ("chart", "dataset")}
        )
    assert results[0] == results[1]
