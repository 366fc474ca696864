with

as_of as (

    select * from {{ ref('int_as_of') }}

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
        max({{ column }}) as counted_at
    from {{ ref(model) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    instants.counted,
    instants.counted_at,
    as_of.as_of
from instants
cross join as_of
where instants.counted_at > as_of.as_of
