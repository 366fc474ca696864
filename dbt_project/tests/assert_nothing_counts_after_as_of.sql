with

projects_as_of as (

    select * from {{ ref('int_projects') }}

),

instants as (

    {% for model, column in [
        ('fct_story_cycle_time', 'created_at'),
        ('fct_story_cycle_time', 'first_started_at'),
        ('fct_story_cycle_time', 'accepted_at'),
        ('fct_story_cycle_time', 'deleted_at'),
        ('fct_story_transition', 'occurred_at'),
        ('fct_story_state_interval', 'left_at'),
        ('fct_iteration_velocity', 'starts_at'),
        ('fct_activity', 'occurred_at'),
        ('fct_activity_change', 'occurred_at'),
        ('dim_project', 'last_activity_at')
    ] %}
    select
        '{{ model }}.{{ column }}' as counted,
        project_id,
        max({{ column }}) as counted_at
    from {{ ref(model) }}
    group by project_id
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    instants.counted,
    instants.project_id,
    instants.counted_at,
    projects_as_of.as_of
from instants
inner join projects_as_of
    on instants.project_id = projects_as_of.project_id
where instants.counted_at > projects_as_of.as_of
