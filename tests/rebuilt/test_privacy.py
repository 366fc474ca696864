"""With `hide_people`, no mart reveals people's identities, but people remain distinguishable."""

import json
import re
import shutil

import duckdb
import pytest

from bi import answers
from bi.pictures import PAGES
from bi.publish import publish
from bi.published import PublishedCopy
from tests.support.marts import build, compiled_models


def compiled(folder, salt, *arguments):
    hiding = json.dumps({"hide_people": True, "people_salt": salt})
    return compiled_models(folder / "warehouse.duckdb", "--vars", hiding, *arguments)


@pytest.fixture(scope="module")
def hidden_warehouse(built_warehouse, tmp_path_factory):
    """The demo, built with people hidden and published beside it."""
    path = tmp_path_factory.mktemp("hidden") / "warehouse.duckdb"
    shutil.copyfile(built_warehouse, path)
    models = compiled(tmp_path_factory.mktemp("compiled"), "")
    build(path, models)
    publish(path, path.with_name("marts.duckdb"), list(models.keys))
    return path


@pytest.fixture(scope="module")
def hidden(hidden_warehouse):
    """A connection to the demo's marts with people hidden."""
    with duckdb.connect(str(hidden_warehouse)) as connection:
        yield connection


@pytest.fixture(scope="module")
def people(workspace):
    return list(workspace.people.values())


def identities(people):
    """A pattern that finds people's names, e-mail addresses and usernames."""
    known = {each for person in people for each in (person.name, person.email, person.username)}
    return re.compile("|".join(rf"(?<!\w){re.escape(each)}(?!\w)" for each in known), re.I)


def leaks(connection, people):
    """(column, text) of each text in a mart that contains a part of a person's identity."""
    spoken = identities(people)
    initials = {person.initials for person in people}
    columns = connection.execute(
        "select table_name, column_name from information_schema.columns "
        "where table_schema = 'marts' and data_type = 'VARCHAR'"
    ).fetchall()
    assert columns
    for table, column in columns:
        texts = connection.execute(
            f'select distinct "{column}" from marts.{table} where "{column}" is not null'
        ).fetchall()
        for (text,) in texts:
            # Two letters can occur in any text: initials count only as a separate word.
            if spoken.search(text) or initials & set(re.split(r"[,;\s]+", text)):
                yield f"{table}.{column}", text


def test_no_mart_contains_a_persons_name(hidden, people):
    assert list(leaks(hidden, people))[:5] == []


def page_texts(path):
    """(name, text) of everything that the dashboard and the report can display of a copy."""
    with PublishedCopy(path).connect() as connection:
        start = answers.start(connection)
        yield "all projects", start
        for project in start["projects"]:
            project_id = project["project_id"]
            days = {"from": project["first_date"], "to": project["as_of_date"]}
            choice = answers.choice(connection, {"project": str(project_id)} | days)
            yield "filters", answers.options(connection, project_id)
            for page in PAGES:
                for picture in page.pictures:
                    shown = answers.picture(connection, picture, choice, with_table=True)
                    yield f"{page.name}: {picture.name}", shown
        story_ids = connection.execute("select list(story_id) from dim_story").fetchone()[0]
        for story in answers.stories(connection, story_ids).values():
            yield "story", story


def test_no_page_displays_a_persons_name(hidden_warehouse, built_warehouse, people):
    spoken = identities(people)
    found = {}
    for name, warehouse in (("hidden", hidden_warehouse), ("shown", built_warehouse)):
        texts = page_texts(warehouse.with_name("marts.duckdb"))
        found[name] = {
            place for place, text in texts if spoken.search(json.dumps(text, ensure_ascii=False))
        }
    assert found["hidden"] == set()
    assert found["shown"] >= {
        *("filters", "story", "overview: in_progress", "iteration: iteration_stories"),
        "activity: activity_changes",
    }


def test_shown_people_would_be_found(built_warehouse, people):
    with duckdb.connect(str(built_warehouse), read_only=True) as connection:
        found = {column for column, _ in leaks(connection, people)}
    assert found >= {
        *(f"dim_person.{each}" for each in ("person_name", "initials", "username", "email")),
        *("dim_story.owner_names", "dim_story.requester_name"),
    }


def test_people_stay_apart_and_keep_their_work(hidden, built_warehouse):
    statement = (
        "select count(distinct person_name), count(distinct initials), count(distinct email), "
        "count(*) from marts.dim_person where person_name is not null"
    )
    names, initials, emails, all_people = hidden.execute(statement).fetchone()
    assert names == initials == all_people > 10
    assert emails > 10
    work = "select person_id, count(*) from marts.bridge_story_owner group by 1 order by 1"
    with duckdb.connect(str(built_warehouse), read_only=True) as connection:
        assert connection.execute(work).fetchall() == hidden.execute(work).fetchall()


def test_a_pseudonym_is_stable_and_changes_with_the_salt(hidden, tmp_path):
    names = "select person_id, person_name from marts.dim_person order by 1"
    unsalted = hidden.execute(names).fetchall()
    assert all(re.fullmatch(r"Person [0-9a-f]{8}", name) for _, name in unsalted if name)
    models = compiled(tmp_path, "o'clock", "--select", "int_people", "dim_person")
    hidden.execute("begin")
    for statement in models.statements:
        hidden.execute(statement)
    salted = hidden.execute(names).fetchall()
    hidden.execute("rollback")
    assert [each for each, _ in salted] == [each for each, _ in unsalted]
    assert not {name for _, name in salted if name} & {name for _, name in unsalted if name}
