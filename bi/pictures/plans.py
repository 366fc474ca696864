"""Plans: when releases and epics will be done, and how reliable the forecasts are."""

from bi import words
from bi.pictures import look
from bi.pictures.picture import Page, Picture, Row, Spec

# Each open release and unfinished epic with its forecast dates and verdict. The list of all
# projects uses it too.
OPEN_PLANS = """
plans as (
    select
        project_id,
        release_id as target_id,
        'release' as kind,
        release_name as plan_name,
        story_count,
        accepted_story_count,
        deadline_date
    from fct_release_progress
    where accepted_at is null

    union all

    select
        project_id,
        epic_id as target_id,
        'epic' as kind,
        epic_name as plan_name,
        story_count,
        accepted_story_count,
        null as deadline_date
    from fct_epic_progress
    where remaining_story_count > 0
),
dates as (
    select
        target_kind as kind,
        project_id,
        target_id,
        max(case when percentile = 50 then forecast_date end) as p50_date,
        max(case when percentile = 85 then forecast_date end) as p85_date,
        max(case when percentile = 95 then forecast_date end) as p95_date,
        max(case when percentile = 85 then gap_reason end) as gap_reason
    from fct_forecast
    where question = 'when' and target_kind in ('release', 'epic')
    group by target_kind, project_id, target_id
),
open_plans as (
    select
        plans.*,
        p50_date,
        p85_date,
        p95_date,
        cast(timezone(coalesce(time_zone, 'UTC'), as_of) as date) as as_of_date,
        case
            when plans.story_count = 0 then 'no stories'
            when p85_date is null and gap_reason not like 'too few %'
                then 'no date: ' || gap_reason
            when p85_date is null then 'not enough history'
            when deadline_date is null then 'no deadline'
            when p85_date > deadline_date then 'late by ' || (p85_date - deadline_date)
                || case when p85_date - deadline_date = 1 then ' day' else ' days' end
            else 'on time'
        end as verdict
    from plans
    inner join dim_project on plans.project_id = dim_project.project_id
    left join dates
        on
            plans.project_id = dates.project_id
            and plans.kind = dates.kind
            and plans.target_id = dates.target_id
)
"""
_OUTLOOKS = {
    "late": look.RED,
    "on time": look.GREEN,
    "no deadline": look.BLUE,
    "no date": look.GREY,
}


def _outlook(row: Row) -> str:
    if row["verdict"].startswith("late"):
        return "late"
    return row["verdict"] if row["verdict"] in _OUTLOOKS else "no date"


def _time_line(rows: list[Row], facts: Row) -> Spec:
    names = [row["plan_name"] for row in rows]
    plans = [
        row
        | {
            "label": (row["plan_name"] or f"Unnamed {row['kind']}")
            + (f" #{row['target_id']}" if names.count(row["plan_name"]) > 1 else "")
            + f" · {row['accepted_story_count']} of {row['story_count']}",
            "outlook": _outlook(row),
            "last_date": max(
                row[column]
                for column in ("as_of_date", "deadline_date", "p85_date", "p95_date")
                if row[column] and (column != "as_of_date" or not row["deadline_date"])
            ),
        }
        for row in rows
    ]
    tooltip = look.tips(
        "plan_name",
        "kind",
        "verdict",
        "deadline_date",
        "p50_date",
        "p85_date",
        "p95_date",
        "accepted_story_count",
        "story_count",
    )
    y = look.category("label", title=None, sort=None)
    all_dates = [
        {"at_date": row[column]}
        for row in plans
        for column in ("deadline_date", "p50_date", "p95_date", "as_of_date")
        if row[column]
    ]
    days = look.days_axis(all_dates, "at_date", "Day")

    def x(column: str) -> Spec:
        return days | {"field": column}

    color = look.category("outlook", "Outlook", scale=look.scale(_OUTLOOKS))
    bars = look.layer(
        "bar",
        mark_height=10,
        mark_opacity=0.55,
        y=y,
        x=x("p50_date"),
        x2={"field": "p95_date"},
        color=color,
        tooltip=tooltip,
    )
    likely = look.layer(
        "tick", mark_thickness=4, mark_size=18, y=y, x=x("p85_date"), color=color, tooltip=tooltip
    )
    deadlines = look.layer(
        "point",
        look.GREY,
        mark_shape="diamond",
        mark_size=110,
        mark_filled=True,
        y=y,
        x=x("deadline_date"),
        tooltip=tooltip,
    )
    today = look.spec(
        [{"as_of_date": rows[0]["as_of_date"]}],
        look.layer("rule", look.GREY, mark_strokeDash=[3, 3], x=x("as_of_date")),
    )
    verdicts = look.layer(
        "text",
        mark_align="left",
        mark_dx=10,
        mark_fontWeight="bold",
        y=y,
        x=x("last_date"),
        text={"field": "verdict"},
        color=color,
        tooltip=tooltip,
    )
    forecast = [bars, likely] if any(row["p50_date"] for row in rows) else []
    return look.spec(
        plans, *forecast, deadlines, today, verdicts, height=look.bars_height(plans, "label", 26)
    )


def _plans_answer(rows: list[Row], facts: Row) -> str:
    outlooks = [_outlook(row) for row in rows]
    releases = [row for row in rows if row["kind"] == "release"]
    late = [row for row in releases if _outlook(row) == "late"]
    empty = sum(row["verdict"] == "no stories" for row in releases)
    verb = "is" if len(releases) == 1 else "are"
    text = (
        f"{len(late)} of {words.count(len(releases), 'open release')} {verb} forecast to be late"
        if releases
        else "There is no open release"
    )
    if late:
        worst = max(late, key=lambda row: row["p85_date"] - row["deadline_date"])
        text += f"; the worst is “{worst['plan_name']}”, {worst['verdict']}"
    if empty:
        text += f"; {empty} {'has' if empty == 1 else 'have'} no stories"
    unknown = outlooks.count("no date") - empty
    if unknown > 0:
        text += f"; {words.count(unknown, 'plan')} cannot be forecast"
    return f"{text}. {_date_reliability(rows[0])}"


def _date_reliability(row: Row) -> str:
    if row["held_share"] is None:
        return "No past forecast can be checked yet, so the reliability of these dates is unknown."
    return (
        f"Of {words.count(row['decided_count'], 'past forecast date')} of this project at 85 %, "
        f"{words.share(row['held_share'])} were met."
    )


TIME_LINE = Picture(
    name="time_line",
    question="Will our releases and epics be done on time?",
    definition="For each open release and unfinished epic: its deadline (diamond), the dates by "
    "which it is 50 to 95 % likely to be done (bar), and the 85 % date (mark). They are based on "
    "past throughput, the stories in progress and in the backlog, and the errors of earlier "
    "forecasts. A release is late if its 85 % date is after its deadline. The numbers after the "
    "name are accepted and all stories; the dashed line is the date of the data.",
    measures=(
        ("fct_forecast", "forecast_date"),
        ("fct_release_progress", "deadline_date"),
        ("fct_release_progress", "accepted_story_count"),
        ("fct_forecast_calibration", "held_share"),
    ),
    sql=f"""
with {OPEN_PLANS}
select
    plan_name,
    kind,
    verdict,
    deadline_date,
    p50_date,
    p85_date,
    p95_date,
    accepted_story_count,
    story_count,
    as_of_date,
    target_id,
    -- A release is a story, to which its point and its row lead.
    case when kind = 'release' then target_id end as story_id,
    decided_count,
    held_share
from open_plans
left join fct_forecast_calibration as calibration
    on
        open_plans.project_id = calibration.project_id
        and calibration.question = 'when'
        and calibration.percentile = 85
where open_plans.project_id = $project_id
order by
    kind = 'epic',
    verdict = 'no stories',
    coalesce(deadline_date, p85_date) nulls last,
    plan_name,
    target_id
limit 40
""",
    draw=_time_line,
    is_wide=True,
    answer=_plans_answer,
    empty="This project has no open release and no unfinished epic.",
)


def _how_many_answer(rows: list[Row], facts: Row) -> str:
    last = rows[-1]
    return (
        f"By {words.day(last['by_date'])} at least {words.count(last['likely_85_count'], 'story')} "
        "will be accepted, 85 % likely."
    )


HOW_MANY = Picture(
    name="how_many",
    question="How many stories will be done by a given day?",
    definition="The number of stories that will at least be accepted by the end of the day, with "
    "the probability in the heading. It is based on past throughput, the stories in progress and "
    "in the backlog, and the errors of earlier forecasts.",
    measures=(("fct_forecast", "forecast_story_count"),),
    sql="""
select
    horizon_date as by_date,
    max(case when percentile = 50 then forecast_story_count end) as likely_50_count,
    max(case when percentile = 85 then forecast_story_count end) as likely_85_count,
    max(case when percentile = 95 then forecast_story_count end) as likely_95_count
from fct_forecast
where
    project_id = $project_id
    and question = 'how_many'
    and target_kind = 'project'
    and forecast_story_count is not null
group by horizon_date
order by horizon_date
""",
    answer=_how_many_answer,
    empty="There is no forecast. It requires eight complete weeks with eight accepted stories, and "
    "a throughput that has not stopped or changed abruptly.",
)


def _calibration(rows: list[Row], facts: Row) -> Spec:
    forecasts = list(dict.fromkeys(row["forecast"] for row in rows))
    palette = (look.BLUE, look.ORANGE, look.GREEN, look.PINK, look.SKY)
    colors = dict(zip(forecasts, palette, strict=False))
    x = look.quantity(
        "target_share",
        scale={"domain": [0.4, 1]},
        axis={"format": ".0%", "values": [0.5, 0.7, 0.85, 0.95]},
    )
    observed = look.layer(
        "line",
        mark_point=True,
        x=x,
        y=look.quantity("held_share", "Came true", scale={"domain": [0, 1]}),
        color=look.category("forecast", "Forecast", scale=look.scale(colors)),
        tooltip=look.tips("forecast", "target_share", "held_share", "decided_count"),
    )
    diagonal = look.layer(
        "line",
        look.GREY,
        mark_strokeDash=[5, 4],
        x=x,
        y=look.quantity("target_share", "Came true"),
    )
    return look.spec(rows, diagonal, observed)


def _calibration_answer(rows: list[Row], facts: Row) -> str:
    at_85 = [row for row in rows if round(row["target_share"], 2) == 0.85]
    total = sum(row["decided_count"] for row in at_85)
    if not total:
        return ""
    share = sum(row["held_share"] * row["decided_count"] for row in at_85) / total
    advice = (
        "they are reliable"
        if share >= 0.8
        else "add a margin"
        if share >= 0.6
        else "do not rely on them"
    )
    return (
        f"Of {words.count(total, 'past forecast')} at 85 %, {words.share(share)} came true: "
        f"{advice}."
    )


CALIBRATION = Picture(
    name="calibration",
    question="How reliable is the forecast?",
    definition="How often forecasts came true that are made for past dates from what was known "
    "then. Points on the dashed line came true as often as forecast; points below it, less often.",
    measures=(("fct_forecast_calibration", "held_share"),),
    sql="""
select
    case
        when question = 'when' then 'when it is done'
        else 'how many in ' || horizon_week_count || ' weeks'
    end as forecast,
    percentile / 100 as target_share,
    held_share,
    decided_count
from fct_forecast_calibration
where project_id = $project_id and held_share is not null
order by horizon_week_count nulls first, percentile
""",
    draw=_calibration,
    answer=_calibration_answer,
    empty="No past forecast can be checked yet.",
)

PAGE = Page("plans", "Plans", (TIME_LINE, HOW_MANY, CALIBRATION))
