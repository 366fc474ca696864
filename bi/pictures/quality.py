"""Data quality: what the figures can be trusted for, and what is odd in the data."""

import altair as alt
import pandas as pd

from bi.pictures import look
from bi.pictures.picture import Page, Picture


def _findings(rows: pd.DataFrame) -> alt.Chart:
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            x=alt.X("finding_count:Q", title="Findings"),
            y=alt.Y("rule_name:N", title=None, sort="-x", axis=alt.Axis(labelLimit=240)),
            color=alt.Color(
                "severity:N",
                title="Severity",
                scale=alt.Scale(
                    domain=["error", "warning", "info"],
                    range=[look.RED, look.ORANGE, look.SKY],
                ),
            ),
            tooltip=[
                alt.Tooltip("rule_name:N", title="Rule"),
                alt.Tooltip("rule_description:N", title="What"),
                alt.Tooltip("finding_count:Q", title="Findings"),
            ],
        )
    )


FINDINGS = Picture(
    name="findings",
    question="What in our data is odd?",
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
    empty="Nothing odd was found.",
)

RECONCILIATION = Picture(
    name="reconciliation",
    question="Do our figures agree with Tracker's own?",
    measures=(("fct_reconciliation", "verdict"),),
    sql="""
select
    metric_name,
    entity_kind,
    count(*) as compared_count,
    count(*) filter (where verdict in ('equal', 'within tolerance')) as equal_count,
    count(*) filter (where verdict = 'explained') as explained_count,
    count(*) filter (where verdict = 'not comparable') as not_comparable_count,
    count(*) filter (where verdict = 'different') as different_count
from fct_reconciliation
where project_id = $project_id
group by metric_name, entity_kind
order by different_count desc, metric_name
""",
    draw=None,
    empty="Tracker's own figures were not loaded for this project.",
)

COVERAGE = Picture(
    name="coverage",
    question="How far back does history reach, and from which source?",
    measures=(("fct_history_coverage", "row_count"),),
    sql="""
select
    source_name,
    record_source,
    is_hole,
    row_count,
    cast(first_at as date) as first_date,
    cast(last_at as date) as last_date
from fct_history_coverage
where project_id = $project_id
order by is_hole, source_name, first_at
limit 200
""",
    draw=None,
    empty="No source is known for this project.",
)

HISTORY = Picture(
    name="history",
    question="For how many stories do we know the whole history?",
    measures=(("fct_story_cycle_time", "history_coverage"),),
    sql="""
select history_coverage, story_type, count(*) as story_count
from fct_story_cycle_time
where
    project_id = $project_id
    and not is_deleted
    and story_type in (select unnest($story_types))
group by history_coverage, story_type
order by history_coverage, story_type
""",
    draw=lambda rows: (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            x=alt.X("story_count:Q", title="Stories"),
            y=alt.Y("history_coverage:N", title=None),
            color=look.type_color(),
            tooltip=[
                alt.Tooltip("history_coverage:N", title="History"),
                alt.Tooltip("story_type:N", title="Story type"),
                alt.Tooltip("story_count:Q", title="Stories"),
            ],
        )
    ),
)

PAGE = Page("data-quality", "Data quality", (FINDINGS, RECONCILIATION, HISTORY, COVERAGE))
