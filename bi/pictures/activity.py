"""Activity: what happened in the project, who did it, and when."""

from bi import words
from bi.pictures import look
from bi.pictures.picture import Page, Picture, Row, Spec

_KINDS = {
    "state changes": look.GREEN,
    "comments": look.BLUE,
    "tasks": look.ORANGE,
    "reviews": look.PINK,
    "other changes": look.GREY,
}
_MAX_CHANGES = 500
_UNKNOWN = (
    "Nothing happened in this period, or it is unknown. Choose a longer period, or load the "
    "project's activities."
)


def _weeks(rows: list[Row], facts: Row) -> Spec:
    return look.weekly_bars(
        rows,
        y=look.quantity("change_count", "Changes"),
        color=look.category("kind", "Kind", scale=look.scale(_KINDS)),
        tooltip=look.tips("week_start_date", "kind", "change_count"),
    )


def _weeks_answer(rows: list[Row], facts: Row) -> str:
    weeks: dict[object, int] = {}
    for row in rows:
        weeks[row["week_start_date"]] = weeks.get(row["week_start_date"], 0) + row["change_count"]
    busiest = max(rows, key=lambda row: weeks[row["week_start_date"]])["week_start_date"]
    return (
        f"{words.count(sum(weeks.values()), 'change')} in this period, most of them "
        f"({weeks[busiest]:,}) in the week of {words.day(busiest)}."
    )


WEEKS = Picture(
    name="activity_weeks",
    question="How much happens each week?",
    definition="Changes to the project in each week from Monday, by kind: changes of a story's "
    "state, comments, tasks, reviews, and all other changes.",
    measures=(
        ("fct_activity", "occurred_date"),
        ("fct_activity", "is_state_change"),
        ("fct_activity", "activity_kind"),
    ),
    sql="""
select
    cast(date_trunc('week', occurred_date) as date) as week_start_date,
    case
        when is_state_change then 'state changes'
        when activity_kind like 'comment_%' then 'comments'
        when activity_kind like 'task_%' then 'tasks'
        when activity_kind like 'review_%' then 'reviews'
        else 'other changes'
    end as kind,
    count(*) as change_count
from fct_activity
where project_id = $project_id and occurred_date between $first_date and $last_date
group by all
order by week_start_date, kind
""",
    draw=_weeks,
    answer=_weeks_answer,
    empty=_UNKNOWN,
    is_wide=True,
)


def _changes_answer(rows: list[Row], facts: Row) -> str:
    return (
        f"{words.count(facts['change_count'], 'change')} in this period, by "
        f"{words.count(facts['person_count'], 'person')}; the latest on "
        f"{words.day(facts['latest_date'])}."
    )


CHANGES = Picture(
    name="activity_changes",
    question="Who did what, and when?",
    definition="Changes as in Tracker's activity list, the latest first: when, who, what, and the "
    f"story or other thing that was changed. The latest {_MAX_CHANGES} of the period are listed.",
    measures=(("fct_activity", "highlight"), ("fct_activity", "occurred_at")),
    sql=f"""
select
    fct_activity.occurred_at as changed_at,
    dim_person.person_name as changed_by,
    -- Tracker's bold word for reviews does not name them.
    coalesce(rtrim(highlight, ':'), 'changed')
        || case when activity_kind like 'review_%' then ' review' else '' end as change,
    coalesce(dim_story.story_type, replace(primary_resource_kind, '_', ' ')) as of_what,
    fct_activity.story_id,
    dim_story.story_name
from fct_activity
left join dim_person on performed_by_id = person_id
left join dim_story on fct_activity.story_id = dim_story.story_id
where
    fct_activity.project_id = $project_id
    and occurred_date between $first_date and $last_date
order by occurred_at desc, project_version desc, activity_id desc
limit {_MAX_CHANGES}
""",
    facts_sql="""
select
    count(*) as change_count,
    count(distinct performed_by_id) as person_count,
    max(occurred_date) as latest_date
from fct_activity
where project_id = $project_id and occurred_date between $first_date and $last_date
""",
    answer=_changes_answer,
    empty=_UNKNOWN,
)

PAGE = Page("activity", "Activity", (WEEKS, CHANGES))
