"""Data quality: how complete and reliable the data is."""

from bi import words
from bi.pictures import look
from bi.pictures.picture import Page, Picture, Row, Spec

_SEVERITIES = {"error": look.RED, "warning": look.ORANGE, "info": look.SKY}


def _findings(rows: list[Row], facts: Row) -> Spec:
    return look.spec(
        [row | {"rule": row["rule_name"].replace("_", " ")} for row in rows[:15]],
        look.layer(
            "bar",
            x=look.quantity("finding_count", "Findings"),
            y=look.category("rule", title=None, sort="-x"),
            color=look.category("severity", "Severity", scale=look.scale(_SEVERITIES)),
            tooltip=look.tips("rule_description", "severity", "finding_count"),
        ),
        height=look.bars_height(rows[:15], "rule_name", 24),
    )


def _findings_answer(rows: list[Row], facts: Row) -> str:
    counts = dict.fromkeys(_SEVERITIES, 0)
    for row in rows:
        counts[row["severity"]] += row["finding_count"]
    return (
        f"{words.count(counts['error'], 'error')}, {words.count(counts['warning'], 'warning')} and "
        f"{words.count(counts['info'], 'remark')}. Most common: "
        f"{rows[0]['rule_name'].replace('_', ' ')}."
    )


FINDINGS = Picture(
    name="findings",
    question="Which problems does our data have?",
    definition="Findings by rule: values that are impossible, contradict each other, or were "
    "repaired. The table says what to do about each. The chart has the 15 most common ones.",
    measures=(("dq_finding", "rule_name"),),
    sql="""
select
    dq_rule.rule_name,
    dq_rule.severity,
    dq_rule.rule_description,
    dq_rule.remedy,
    count(*) as finding_count
from dq_finding
inner join dq_rule using (rule_name)
where dq_finding.project_id = $project_id or dq_finding.project_id is null
group by all
order by finding_count desc, dq_rule.rule_name
""",
    draw=_findings,
    answer=_findings_answer,
    empty="No problems were found in the data.",
)

RECONCILIATION = Picture(
    name="reconciliation",
    question="Do our figures agree with Tracker's own?",
    definition="Tracker's own figures, compared with the same figures computed from the project's "
    "history: equal, explained by a known cause, not comparable, or different.",
    measures=(("fct_reconciliation", "verdict"),),
    sql="""
select
    replace(replace(replace(metric_name, 'counts.', ''), '.', ': '), '_', ' ') as figure,
    entity_kind as of_what,
    count(*) as compared_count,
    count(*) filter (where verdict in ('equal', 'within tolerance')) as equal_count,
    count(*) filter (where verdict = 'explained') as explained_count,
    count(*) filter (where verdict in ('older', 'not comparable')) as not_comparable_count,
    count(*) filter (where verdict = 'different') as different_count
from fct_reconciliation
where project_id = $project_id
group by metric_name, entity_kind
order by different_count desc, figure
""",
    answer=lambda rows, facts: (
        f"{words.share(sum(row['equal_count'] for row in rows) / _compared(rows))} of "
        f"{words.count(_compared(rows), 'comparison')} are equal, "
        f"{sum(row['different_count'] for row in rows):,} differ without an explanation."
    ),
    empty="Tracker's own figures were not loaded for this project.",
)


def _compared(rows: list[Row]) -> int:
    return sum(row["compared_count"] for row in rows)


_COVERAGES = {"complete": look.BLUE, "partial": look.ORANGE, "none": look.RED}


def _history(rows: list[Row], facts: Row) -> Spec:
    return look.spec(
        rows,
        look.layer(
            "bar",
            mark_height=22,
            x=look.quantity("story_count", "Stories"),
            y=look.category("story_type", title=None),
            color=look.category(
                "history_coverage", "History of states", scale=look.scale(_COVERAGES)
            ),
            tooltip=look.tips("story_type", "history_coverage", "story_count"),
        ),
        height=look.bars_height(rows, "story_type", 40),
    )


def _history_answer(rows: list[Row], facts: Row) -> str:
    total = sum(row["story_count"] for row in rows)
    complete = sum(row["story_count"] for row in rows if row["history_coverage"] == "complete")
    return (
        f"The complete state history is known for {words.share(complete / total)} of "
        f"{words.count(total, 'story')}."
    )


HISTORY = Picture(
    name="history",
    question="For how many stories do we know the complete history?",
    definition="Complete: every state change is known. Partial: the known changes do not end in "
    "the current state. None: no state change is known, as in a CSV export.",
    measures=(("fct_story_cycle_time", "history_coverage"),),
    sql="""
select history_coverage, story_type, count(*) as story_count
from fct_story_cycle_time
where project_id = $project_id and not is_deleted
group by history_coverage, story_type
order by history_coverage, story_type
""",
    draw=_history,
    answer=_history_answer,
    empty="This project has no stories.",
)


def _coverage_answer(rows: list[Row], facts: Row) -> str:
    dates = [row["first_date"] for row in rows if row["first_date"] and not row["is_gap"]]
    since = f"is of {words.day(min(dates))}" if dates else "has no date"
    gaps = sum(bool(row["is_gap"]) for row in rows)
    return f"The oldest known change {since}, with {words.count(gaps, 'gap')} since then."


COVERAGE = Picture(
    name="coverage",
    question="How far back does history reach, and from which source?",
    definition="The period that each source covers, and the gaps in which changes are missing.",
    measures=(("fct_history_coverage", "row_count"),),
    sql="""
select
    replace(source_name, '_', ' ') as source,
    replace(record_source, '_', ' ') as loaded_from,
    is_hole as is_gap,
    row_count,
    cast(first_at as date) as first_date,
    cast(last_at as date) as last_date
from fct_history_coverage
where project_id = $project_id
order by is_gap, source, first_at
limit 200
""",
    answer=_coverage_answer,
    empty="No source is known for this project.",
)

STATEMENT = Picture(
    name="statement",
    question="What was loaded, what is missing, and how can it be added?",
    definition="The sources and files of this project, what they contain, what is missing, and how "
    "to add it.",
    measures=(("rpt_data_coverage", "missing"),),
    sql="""
select
    replace(record_sources, '_', ' ') as record_sources,
    file_paths,
    cast(first_at as date) as first_date,
    cast(last_at as date) as last_date,
    story_count,
    transition_count,
    comment_count,
    iteration_count,
    member_count,
    coalesce(missing, 'nothing') as missing,
    remedies
from rpt_data_coverage
where project_id = $project_id
""",
    answer=lambda rows, facts: f"Missing: {rows[0]['missing']}.",
    empty="No source is known for this project.",
)


def _setup_answer(rows: list[Row], facts: Row) -> str:
    values = {row["setting"]: row["value"] for row in rows}
    weeks, start = values["Weeks in an iteration"], values["Weeks start on"]
    text = f"Iterations of {words.count(int(weeks), 'week')}" if weeks else "Iterations"
    text += f" from {start}" if start else ""
    text += f", times in {values['Time zone'] or 'UTC'}."
    if values["Inferred settings"]:
        text += f" Inferred, not loaded: {values['Inferred settings']}."
    return text


SETUP = Picture(
    name="setup",
    question="How is the project set up?",
    definition="The project's settings in Tracker at the date of the data. Inferred settings are "
    "in no source: the time zone is assumed, the others follow from the dates of iterations and "
    "the estimates of stories. The configuration can override each.",
    measures=(
        ("dim_project", "point_scale"),
        ("dim_project", "velocity_averaged_over"),
        ("dim_project", "inferred_settings"),
    ),
    sql="""
with settings as (
    select
        project_type as "Type of project",
        case is_public when true then 'yes' when false then 'no' end as "Public",
        cast(member_count as varchar) as "Members",
        time_zone as "Time zone",
        week_start_day as "Weeks start on",
        cast(iteration_length_weeks as varchar) as "Weeks in an iteration",
        cast(current_iteration_number as varchar) as "Current iteration",
        cast(current_velocity as varchar) as "Velocity",
        cast(velocity_averaged_over as varchar) as "Iterations in the velocity",
        cast(initial_velocity as varchar) as "Initial velocity",
        replace(point_scale, ',', ', ') as "Point scale",
        case estimates_bugs_and_chores when true then 'yes' when false then 'no' end
            as "Bugs and chores have estimates",
        case is_automatic_planning when true then 'yes' when false then 'no' end
            as "Automatic planning",
        replace(inferred_settings, '_', ' ') as "Inferred settings"
    from dim_project
    where project_id = $project_id
)
select setting, value
from settings
unpivot include nulls (value for setting in (columns(*)))
""",
    answer=_setup_answer,
    empty="This project is not in the data.",
)

PAGE = Page(
    "data-quality",
    "Set-up and data quality",
    (SETUP, STATEMENT, FINDINGS, HISTORY, RECONCILIATION, COVERAGE),
)
