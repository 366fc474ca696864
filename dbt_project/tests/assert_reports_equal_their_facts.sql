-- Reports add no rules: each figure equals its fact's, and no row is lost or repeated.
{%- set comparisons = [
    ('rpt_velocity', 'fct_iteration_velocity', 'iteration_key', [
        'length_weeks', 'team_strength', 'accepted_points', 'accepted_story_count',
        'accepted_feature_count', 'accepted_bug_count', 'accepted_chore_count',
        'velocity', 'velocity_per_week', 'velocity_volatility'
    ]),
    ('rpt_iteration', 'fct_iteration_velocity', 'iteration_key', [
        'team_strength', 'planned_velocity', 'committed_points', 'accepted_points',
        'accepted_points_as_closed', 'say_do_ratio', 'committed_story_count',
        'carried_in_story_count', 'added_story_count', 'removed_story_count',
        'spilled_story_count', 'accepted_story_count', 'accepted_feature_count',
        'accepted_bug_count', 'accepted_chore_count', 'bug_created_count',
        'rejectable_story_count', 'history_known_rejectable_story_count',
        'rejected_story_count', 'rejection_rate', 'median_cycle_time_seconds',
        'p85_cycle_time_seconds', 'velocity', 'velocity_volatility'
    ]),
    ('rpt_cycle_time', 'fct_story_cycle_time', 'story_id', [
        'estimate', 'cycle_time_seconds', 'lead_time_seconds', 'started_seconds',
        'finished_seconds',
        'delivered_seconds', 'rejected_seconds', 'started_count', 'finished_count',
        'delivered_count', 'rejected_count'
    ]),
    ('rpt_story_activity', 'fct_activity', 'activity_id', ['change_count']),
    ('rpt_project_overview', 'dim_project', 'project_id', [
        'current_velocity', 'story_count', 'accepted_story_count', 'accepted_points',
        'member_count'
    ]),
    ('rpt_release', 'fct_release_progress', 'release_id', [
        'story_count', 'accepted_story_count', 'unestimated_story_count',
        'queued_story_count', 'total_points', 'accepted_points', 'remaining_points',
        'queued_points'
    ]),
    ('rpt_epic', 'fct_epic_progress', 'epic_id', [
        'story_count', 'accepted_story_count', 'unscheduled_story_count',
        'unstarted_story_count', 'in_progress_story_count',
        'unestimated_story_count', 'queued_story_count', 'total_points',
        'accepted_points', 'remaining_points', 'queued_points'
    ])
] %}

{% for report, fact, key, columns in comparisons %}
select
    '{{ report }}' as report,
    {{ as_text('reported.' ~ key) }} as row_key
from {{ ref(report) }} as reported
inner join {{ ref(fact) }} as facts
    on reported.{{ key }} = facts.{{ key }}
where
    false
    {% for column in columns %}
    or {{ differ('reported.' ~ column, 'facts.' ~ column) }}
    {% endfor %}
union all
{% endfor %}
-- The overview counts the stories of a project by current state, if any were read.
select
    'rpt_project_overview' as report,
    {{ as_text('overviews.project_id') }} as row_key
from {{ ref('rpt_project_overview') }} as overviews
left join {{ ref('fct_story_cycle_time') }} as stories
    on
        overviews.project_id = stories.project_id
        and not stories.is_deleted
where overviews.story_count is not null
group by overviews.project_id
having
    false
    {% for state in [
        'unscheduled', 'unstarted', 'planned', 'started', 'finished', 'delivered',
        'rejected', 'accepted'
    ] %}
    or {{ differ(
        'max(overviews.' ~ state ~ '_story_count)',
        "count(case when stories.current_state = '" ~ state ~ "' then 1 end)"
    ) }}
    {% endfor %}
union all
select
    'rpt_project_overview' as report,
    {{ as_text('overviews.project_id') }} as row_key
from {{ ref('rpt_project_overview') }} as overviews
inner join {{ ref('fct_iteration_velocity') }} as iterations
    on
        overviews.project_id = iterations.project_id
        and overviews.current_iteration_number = iterations.iteration_number
where {{ differ('overviews.current_accepted_points', 'iterations.accepted_points') }}
union all
-- Lead times of all types in the last half year.
select
    'rpt_project_overview' as report,
    {{ as_text('overviews.project_id') }} as row_key
from {{ ref('rpt_project_overview') }} as overviews
left join {{ ref('fct_cycle_time_percentile') }} as lead_times
    on
        overviews.project_id = lead_times.project_id
        and lead_times.measure = 'lead_time'
        and lead_times.story_type = 'all'
        and lead_times.window_days = 180
where
    {{ differ(
        'overviews.lead_time_story_count',
        'case when overviews.story_count is not null'
        ~ ' then coalesce(lead_times.story_count, 0) end'
    ) }}
    or {{ differ('overviews.p50_lead_time_days', 'lead_times.p50_days') }}
    or {{ differ('overviews.p85_lead_time_days', 'lead_times.p85_days') }}
union all
-- The last done iteration of each project.
select
    'rpt_project_overview' as report,
    {{ as_text('overviews.project_id') }} as row_key
from {{ ref('rpt_project_overview') }} as overviews
inner join {{ ref('fct_iteration_velocity') }} as iterations
    on
        overviews.project_id = iterations.project_id
        and iterations.is_done
left join {{ ref('fct_iteration_velocity') }} as later_iterations
    on
        iterations.project_id = later_iterations.project_id
        and iterations.iteration_number < later_iterations.iteration_number
        and later_iterations.is_done
where
    later_iterations.project_id is null
    and {{ differ('overviews.velocity_volatility', 'iterations.velocity_volatility') }}
