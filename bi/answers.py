"""The data behind the dashboard and the report (projects, pictures, stories), ready for JSON."""

from __future__ import annotations

import html
import math
import re
from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb

from bi import words
from bi.pictures import PAGES, PICTURES, look
from bi.pictures.picture import STORY_TYPES, Choice, Picture, Row
from bi.pictures.plans import OPEN_PLANS
from bi.published import rows_of

Json = dict[str, Any]

# The default period of a picture: long enough for a trend, short enough to be readable.
_DEFAULT_DAYS = 365
_MAX_SEARCH_RESULTS = 200
_MAX_TABLE_ROWS = 50_000
_SAFE_INTEGER = 2**53  # JavaScript represents integers exactly up to this number


class ChoiceError(Exception):
    """An invalid choice of filters. The message is one sentence for the user."""


def plain(value: object) -> object:
    """Convert a value for JSON: dates and timestamps to ISO 8601, NaN and infinity to null."""
    if isinstance(value, date):  # or a datetime, which is a date too
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and abs(value) > _SAFE_INTEGER:
        return str(value)
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value


def table(rows: list[Row], columns: list[str] | None = None) -> Json:
    """Rows with the headings and kinds of their columns."""
    names = columns if columns is not None else list(rows[0]) if rows else []
    return {
        "columns": [
            {"name": name, "label": words.heading(name), "kind": words.kind(name)} for name in names
        ],
        "rows": [[plain(row[name]) for name in names] for row in rows],
    }


# The first and last day of each project, in its own time zone: the first event, and `as_of`; and
# the first day of the default period.
_PROJECT_DAYS = f"""
first_creations as (
    select project_id, min(created_at) as first_created_at from dim_story group by project_id
),
project_days as (
    select
        dim_project.project_id,
        coalesce(project_name, 'Project ' || dim_project.project_id) as project_name,
        coalesce(time_zone, 'UTC') as time_zone,
        cast(timezone(coalesce(time_zone, 'UTC'), as_of) as date) as as_of_date,
        cast(timezone(coalesce(time_zone, 'UTC'), least(as_of, coalesce(
            least(started_at, first_activity_at),
            first_created_at,
            as_of
        ))) as date) as first_date,
        greatest(first_date, as_of_date - {_DEFAULT_DAYS}) as default_first_date
    from dim_project
    left join first_creations using (project_id)
)
"""

_PROJECTS = f"""
with {_PROJECT_DAYS},
{OPEN_PLANS},
times as (
    select
        project_id,
        max(p85_seconds) filter (where measure = 'cycle_time') / 86400 as cycle_days,
        max(p85_seconds) filter (where measure = 'lead_time') / 86400 as lead_days
    from fct_cycle_time_percentile
    where story_type = 'all' and time_window = 'last_180_days'
    group by project_id
),
weeks as (
    select
        project_id,
        week_start_date,
        sum(story_count) as story_count,
        row_number() over (partition by project_id order by week_start_date desc) as recency
    from fct_throughput
    where is_complete
    group by project_id, week_start_date
),
throughput as (
    select project_id, avg(story_count) as weekly_count
    from weeks
    where recency <= 12
    group by project_id
),
iterations as (
    select
        *,
        row_number() over (partition by project_id order by iteration_number desc) as recency
    from fct_iteration_velocity
    where is_done
),
velocities as (
    select
        project_id,
        list(velocity order by iteration_number) filter (where recency <= 20) as velocities,
        sum(rejected_story_count) filter (where recency <= 6 and rejection_rate is not null)
            / nullif(sum(history_known_rejectable_story_count)
                filter (where recency <= 6 and rejection_rate is not null), 0) as rejection_rate
    from iterations
    group by project_id
),
releases as (
    select
        *,
        -- A release without stories is the next one only if all are without.
        row_number() over (
            partition by project_id
            order by verdict = 'no stories', coalesce(deadline_date, p85_date) nulls last, target_id
        ) as place,
        count(*) filter (where verdict like 'late %') over (partition by project_id) as late_count
    from open_plans
    where kind = 'release'
),
next_releases as (
    select
        project_id,
        coalesce(plan_name, 'Unnamed release') as release_name,
        verdict as release_verdict,
        p85_date - deadline_date as late_days,
        late_count
    from releases
    where place = 1
)
select
    project_days.*,
    rpt_project_overview.story_count,
    accepted_story_count,
    current_iteration_number,
    current_velocity,
    velocity_volatility,
    velocities,
    weekly_count,
    cycle_days,
    lead_days,
    started_story_count + finished_story_count + delivered_story_count + rejected_story_count
        as wip_count,
    rejection_rate,
    release_name,
    release_verdict,
    late_days,
    coalesce(late_count, 0) as late_count,
    missing,
    remedies,
    1 - history_known_story_count / nullif(rpt_data_coverage.story_count, 0) as unknown_share,
    last_activity_at >= rpt_project_overview.as_of - interval 30 day as is_active
from project_days
inner join rpt_project_overview using (project_id)
left join times using (project_id)
left join throughput using (project_id)
left join velocities using (project_id)
left join next_releases using (project_id)
left join rpt_data_coverage using (project_id)
order by
    is_active desc nulls last, late_count desc, rpt_project_overview.story_count desc,
    project_days.project_name
"""


def projects(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """All projects with their key figures, the most active first."""
    return [row | {"gap": _gap(row)} for row in rows_of(connection, _PROJECTS)]


def _gap(row: Row) -> str:
    """What is missing from a project's data, in words; empty if nothing is missing."""
    if row["story_count"] is None:
        return "The stories of this project were not read: load them, or choose another project."
    if not row["story_count"]:
        return "This project has no stories: load it again with stories, or choose another one."
    if not row["missing"]:
        return ""
    unknown = row["unknown_share"] or 0
    stories = f"{words.share(unknown)} of the stories" if unknown < 1 else "all stories"
    history = f" The history of {stories} is not known." if unknown else ""
    return f"This project's data lacks: {row['missing']}.{history} See how to add it."


def project(connection: duckdb.DuckDBPyConnection, project_id: int) -> Row:
    """The first and last day of a project.

    Raises:
        ChoiceError: if it is not in the published copy.
    """
    found = rows_of(
        connection,
        f"with {_PROJECT_DAYS} select * from project_days where project_id = ?",
        project_id,
    )
    if not found:
        raise ChoiceError(f"There is no project {project_id} in the published copy.")
    return found[0]


def start(connection: duckdb.DuckDBPyConnection) -> Json:
    """What the page needs at the start: the publication, all projects, and the list of pages."""
    (publication,) = rows_of(connection, "select sources, published_at from publication")
    return {
        "publication": plain(publication),
        "projects": plain(projects(connection)),
        "pages": [
            {
                "name": page.name,
                "title": page.title,
                "is_listed": page.is_listed,
                "filters": page.filters,
                "pictures": [
                    {
                        "name": each.name,
                        "question": each.question,
                        "is_table": each.draw is None,
                        "is_wide": each.draw is None or each.is_wide,
                    }
                    for each in page.pictures
                ],
            }
            for page in PAGES
        ],
        "types": list(STORY_TYPES),
    }


def options(connection: duckdb.DuckDBPyConnection, project_id: int) -> Json:
    """The filter options of a project: the labels and owners of its stories, and its iterations."""
    labels = rows_of(
        connection,
        """
        select min(label_id) as id, label_name as name
        from dim_label
        where project_id = ? and story_count > 0
        group by label_name
        order by lower(label_name)
        """,
        project_id,
    )
    owners = rows_of(
        connection,
        """
        select person_id as id, coalesce(person_name, 'Person ' || person_id) as name
        from dim_person
        where person_id in (select person_id from bridge_story_owner where project_id = ?)
        order by lower(person_name), person_id
        """,
        project_id,
    )
    iterations = rows_of(
        connection,
        """
        select iteration_number, start_date, last_date, is_current
        from dim_iteration
        where project_id = ? and not is_future
        order by iteration_number desc
        """,
        project_id,
    )
    choices = {"labels": labels, "owners": owners, "iterations": iterations}
    return {name: plain(each) for name, each in choices.items()}


def choice(connection: duckdb.DuckDBPyConnection, query: dict[str, str]) -> Choice:
    """Parse the filters from the query parameters; missing ones have their default.

    Raises:
        ChoiceError: if a value is invalid, or the first day is after the last.
    """
    chosen = project(connection, number(query, "project") or 0)
    first = _day(query, "from") or chosen["default_first_date"]
    last = _day(query, "to") or chosen["as_of_date"]
    if first > last:
        raise ChoiceError(
            f"The first day, {words.day(first)}, is after the last, {words.day(last)}. "
            "Choose an earlier first day."
        )
    types = tuple(each for each in query.get("types", "").split(",") if each) or STORY_TYPES
    unknown = set(types) - set(STORY_TYPES)
    if unknown:
        raise ChoiceError(f"{min(unknown)} is not a story type. Choose feature, bug or chore.")
    return Choice(
        chosen["project_id"],
        first,
        last,
        types,
        number(query, "label"),
        number(query, "owner"),
        number(query, "iteration"),
    )


def number(query: dict[str, str], name: str) -> int | None:
    """Parse a numeric query parameter; None if it is missing.

    Raises:
        ChoiceError: if it is not a number.
    """
    text = query.get(name, "")
    if not text:
        return None
    if not re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
        raise ChoiceError(f"{name} must be a number, not “{text[:40]}”.")
    return int(text)


def _day(query: dict[str, str], name: str) -> date | None:
    text = query.get(name, "")
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ChoiceError(f"“{text[:40]}” is not a date such as 2025-04-08.") from None


def picture(
    connection: duckdb.DuckDBPyConnection,
    wanted: Picture,
    chosen: Choice,
    with_table: bool = False,
    max_rows: int = _MAX_TABLE_ROWS,
) -> Json:
    """The content of a picture: the answer in words, chart, definition and, on request, table."""
    rows = wanted.rows(connection, chosen)
    facts = wanted.facts(connection, chosen) if rows else {}
    answer = wanted.answer(rows, facts) if rows else ""
    content: Json = {
        "name": wanted.name,
        "question": wanted.question,
        "answer": answer,
        "empty": "" if rows else wanted.empty,
        "definition": wanted.definition,
        "row_count": len(rows),
    }
    chart = wanted.draw(rows, facts) if rows and wanted.draw is not None else {}
    if chart.get("layer", chart):
        content["spec"] = plain(look.framed(chart, f"{wanted.question} {answer}"))
    if with_table or "spec" not in content:
        content["table"] = table(rows[:max_rows])
        content["measures"] = [
            {"column": f"{mart}.{column}", "text": _description(connection, mart, column)}
            for mart, column in wanted.measures
        ]
    return content


def picture_named(name: str) -> Picture:
    """Find a picture by name.

    Raises:
        ChoiceError: if there is none.
    """
    if name not in PICTURES:
        raise ChoiceError(f"There is no picture called “{name[:40]}”.")
    return PICTURES[name]


def _description(connection: duckdb.DuckDBPyConnection, mart: str, column: str) -> str:
    """The first paragraph of the description of a mart's column."""
    found = connection.execute(
        "select comment from duckdb_columns() "
        "where database_name = 'published' and table_name = ? and column_name = ?",
        [mart, column],
    ).fetchone()
    text = found[0] if found and found[0] else ""
    return html.unescape(re.split(r"\n\s*\n|\n\|", text.strip())[0])


# The stories that can be found, and the words in which they are.
_SEARCHED = """
select
    story_id, story_name, project_name, story_type, current_state, owner_names, label_names,
    updated_at, project_id,
    strip_accents(lower(concat_ws(
        ' ', story_id, story_name, label_names, epic_names, owner_names
    ))) as words
from dim_story
where not is_deleted
"""
_LAST_CHANGED_FIRST = "updated_at desc nulls last, story_id"


def search(connection: duckdb.DuckDBPyConnection, query: str, project_id: int | None) -> Json:
    """Find stories by number, or by words in the title, labels, epics and owners."""
    terms = query.lower().replace("#", " ").split()[:8]
    if not terms:
        raise ChoiceError("Type a story's number, or words from its title, label or owner.")
    condition = " and ".join("contains(words, strip_accents(?))" for _ in terms)
    found = rows_of(
        connection,
        f"""
        select * exclude (project_id, words)
        from ({_SEARCHED})
        where (? is null or project_id = ?) and {condition}
        order by cast(story_id as varchar) = ? desc, {_LAST_CHANGED_FIRST}
        """,
        *(project_id, project_id, *terms, terms[0]),
    )
    return {"story_count": len(found), "table": table(found[:_MAX_SEARCH_RESULTS])}


def searched(connection: duckdb.DuckDBPyConnection, project_ids: list[int]) -> Json:
    """What the report needs to search by itself: the stories of its projects, and their words."""
    found = rows_of(
        connection,
        f"""
        from ({_SEARCHED}) where project_id in (select unnest(?)) order by {_LAST_CHANGED_FIRST}
        """,
        project_ids,
    )
    columns = [name for name in found[0] if name not in ("project_id", "words")] if found else []
    return {
        "table": table(found, columns),
        "project_ids": [row["project_id"] for row in found],
        "words": [row["words"] for row in found],
        "max_results": _MAX_SEARCH_RESULTS,
    }


# The lists on the page of a story: (title, query of stories).
_STORY_LISTS = (
    (
        "Comments",
        """
        select story_id, fct_comment.created_at, person_name as author, comment_text as comment
        from fct_comment left join dim_person using (person_id)
        where story_id in (select unnest(?)) order by fct_comment.created_at, comment_id
        """,
    ),
    (
        "Tasks",
        """
        select
            story_id, task_position as position_number, is_complete, task_description as task,
            completed_at
        from fct_task where story_id in (select unnest(?)) order by task_position, task_id
        """,
    ),
    (
        "Blockers",
        """
        select
            story_id, created_at, blocker_description as blocker, person_name as author,
            is_resolved, round(blocked_seconds / 86400, 1) as blocked_days
        from fct_blocker left join dim_person using (person_id)
        where story_id in (select unnest(?)) order by created_at, blocker_id
        """,
    ),
    (
        "Reviews",
        """
        select
            story_id, review_type_name as review, review_status as status, person_name as reviewer,
            created_at, reviewed_at
        from fct_review left join dim_person on reviewer_id = person_id
        where story_id in (select unnest(?)) order by created_at, review_id
        """,
    ),
    (
        "Iterations",
        """
        select
            story_id, iteration_number, start_date, last_date, entry_kind as came_in,
            exit_kind as ended, cast(points_at_exit as double) as points
        from fct_iteration_scope inner join dim_iteration using (iteration_key)
        where story_id in (select unnest(?)) order by starts_at
        """,
    ),
    (
        "Estimate changes",
        """
        select
            story_id, occurred_at as changed_at, cast(from_estimate as double) as old_estimate,
            cast(to_estimate as double) as new_estimate, story_state, person_name as author
        from fct_estimate_change left join dim_person on performed_by_id = person_id
        where story_id in (select unnest(?)) order by occurred_at
        """,
    ),
    (
        "Rejections",
        """
        select
            story_id, rejected_at, person_name as rejected_by,
            replace(outcome, '_', ' ') as outcome,
            round(rejected_to_restarted_seconds / 86400, 1) as until_restarted_days,
            round(restarted_to_redelivered_seconds / 86400, 1) as until_delivered_again_days
        from fct_rejection left join dim_person on rejected_by_id = person_id
        where story_id in (select unnest(?)) order by rejected_at
        """,
    ),
)
_TIMELINE = """
    select
        fct_story_state_interval.story_id,
        fct_story_state_interval.story_state,
        entered_at,
        interval_seconds / 86400 as lasted_days,
        person_name as moved_by
    from fct_story_state_interval
    left join fct_story_transition
        on
            fct_story_state_interval.story_id = fct_story_transition.story_id
            and fct_story_state_interval.entered_at = fct_story_transition.occurred_at
            and fct_story_state_interval.story_state = fct_story_transition.to_state
    left join dim_person on performed_by_id = person_id
    where fct_story_state_interval.story_id in (select unnest(?))
    qualify row_number() over (
        partition by fct_story_state_interval.story_id, interval_number order by transition_number
    ) = 1
    order by interval_number
"""


def story(connection: duckdb.DuckDBPyConnection, story_id: int) -> Json:
    """Everything that the marts contain about a story.

    Raises:
        ChoiceError: if it is not in the published copy.
    """
    found = stories(connection, [story_id])
    if not found:
        raise ChoiceError(f"There is no story {story_id} in the published copy.")
    return found[story_id]


def stories(connection: duckdb.DuckDBPyConnection, story_ids: list[int]) -> dict[int, Json]:
    """Everything that the marts contain about these stories, by story_id."""
    found = rows_of(
        connection,
        """
        select dim_story.*, dim_project.time_zone,
            cycle_time_seconds / 86400 as cycle_days,
            lead_time_seconds / 86400 as lead_days
        from dim_story
        left join dim_project using (project_id)
        left join fct_story_cycle_time using (story_id)
        where story_id in (select unnest(?))
        """,
        story_ids,
    )
    timelines = _by_story(connection, _TIMELINE, story_ids)
    lists = {title: _by_story(connection, sql, story_ids) for title, sql in _STORY_LISTS}
    return {
        row["story_id"]: _story(
            row,
            timelines[row["story_id"]],
            {title: each[row["story_id"]] for title, each in lists.items()},
        )
        for row in found
    }


def _by_story(
    connection: duckdb.DuckDBPyConnection, sql: str, story_ids: list[int]
) -> defaultdict[int, list[Row]]:
    """The rows of a query of stories, by story_id, without that column."""
    found: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows_of(connection, sql, story_ids):
        found[row.pop("story_id")].append(row)
    return found


def _story(row: Row, timeline: list[Row], lists: dict[str, list[Row]]) -> Json:
    facts = (
        ("Type", row["story_type"]),
        ("State", "deleted" if row["is_deleted"] else row["current_state"]),
        ("Estimate", _points(row["estimate"])),
        ("Priority", row["story_priority"]),
        ("Requested by", row["requester_name"]),
        ("Owners", row["owner_names"]),
        ("Labels", row["label_names"]),
        ("Epics", row["epic_names"]),
        ("Created", row["created_at"]),
        ("Accepted", row["accepted_at"]),
        ("Deleted", row["deleted_at"]),
        ("Deadline", row["deadline_at"]),
        ("Lead time", _days(row["lead_days"])),
        ("Cycle time", _days(row["cycle_days"])),
        ("Attachments", row.get("attachment_names")),
    )
    url = row["url"] or ""
    return {
        "id": plain(row["story_id"]),
        "name": row["story_name"] or f"Story {row['story_id']}",
        "project_id": plain(row["project_id"]),
        "project_name": row["project_name"],
        "time_zone": row["time_zone"] or "UTC",
        # Only http(s) links, as other URLs in the data could run scripts; and none to Tracker's own
        # host, which was switched off.
        "url": url if re.match(r"https?://(?!(www\.)?pivotaltracker\.com/)", url) else "",
        "facts": [
            {"label": label, "value": plain(value), "is_instant": isinstance(value, datetime)}
            for label, value in facts
            if value not in (None, "")
        ],
        "description": row.get("story_description") or "",
        "states": [
            plain(each | {"color": look.STATE_COLORS.get(each["story_state"], look.GREY)})
            for each in timeline
        ],
        "lists": [{"title": title, "table": table(rows)} for title, rows in lists.items() if rows],
    }


def _points(estimate: Decimal | None) -> str | None:
    return None if estimate is None else words.count(float(estimate), "point")


def _days(number: float | None) -> str | None:
    return None if number is None else words.days(number)
