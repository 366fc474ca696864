with

projects as (

    select * from {{ ref('stg_pivotal_tracker__projects') }}

),

projects_as_of as (

    select * from {{ ref('int_projects_as_of') }}

),

-- A project of an archive has no instant of creation: its first story stands for it.
first_stories as (

    select
        project_id,
        min(created_at) as created_at
    from {{ ref('int_stories') }}
    group by project_id

),

with_start as (

    select
        projects.*,
        coalesce(
            projects.created_at,
            projects.started_at,
            first_stories.created_at,
            projects_as_of.as_of
        ) as first_at
    from projects
    inner join projects_as_of
        on projects.project_id = projects_as_of.project_id
    left join first_stories
        on projects.project_id = first_stories.project_id

),

final as (

    {% for setting, column in {
        'name': 'project_name',
        'time_zone': 'time_zone',
        'week_start_day': 'week_start_day',
        'iteration_length': 'iteration_length_weeks',
        'velocity_averaged_over': 'velocity_averaged_over',
        'initial_velocity': 'initial_velocity',
        'point_scale': 'point_scale',
        'bugs_and_chores_are_estimatable': 'estimates_bugs_and_chores',
        'automatic_planning': 'is_automatic_planning',
        'public': 'is_public'
    }.items() %}
    select
        project_id,
        '{{ setting }}' as attribute_name,
        {{ as_text(column) }} as attribute_value,
        first_at,
        updated_at
    from with_start
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from final
