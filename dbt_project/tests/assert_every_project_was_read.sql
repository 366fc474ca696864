-- A warning, because a file may name a project that no source contains. Its days are
-- then in UTC, and dq_finding lists its stories (orphan_story).
{{ config(severity='warn') }}

with

named_projects as (

    {% for subject, marts in {
        'core': [
            'bridge_story_epic', 'bridge_story_label', 'bridge_story_owner', 'dim_story',
            'fct_blocker', 'fct_comment', 'fct_review', 'fct_task'
        ],
        'flow': [
            'fct_cycle_time_percentile', 'fct_flow_daily', 'fct_story_cycle_time',
            'fct_story_state_interval', 'fct_story_transition', 'fct_throughput'
        ],
        'iterations': ['dim_iteration', 'fct_iteration_velocity'],
        'plans': [
            'dim_epic', 'dim_label', 'dim_release', 'fct_epic_progress', 'fct_forecast',
            'fct_forecast_backtest', 'fct_forecast_calibration', 'fct_release_progress'
        ],
        'history': ['dim_project_history', 'fct_activity']
    }.items() if subject == 'core' or is_built(subject) %}
    {% for mart in marts %}
    select
        '{{ mart }}' as mart_name,
        project_id
    from {{ ref(mart) }}
    group by project_id
    union all
    {% endfor %}
    {% endfor %}
    select
        'dim_project' as mart_name,
        project_id
    from {{ ref('dim_project') }}

)

select
    named_projects.mart_name,
    named_projects.project_id
from named_projects
left join {{ ref('dim_project') }} as projects
    on named_projects.project_id = projects.project_id
where
    named_projects.project_id is not null
    and projects.project_id is null
