with

projects as (

    select * from {{ ref('stg_pivotal_tracker__projects') }}

),

projects_with_iterations as (

    select * from {{ ref('int_projects_with_iterations') }}

),

project_settings as (

    select * from {{ ref('int_project_settings') }}

),

velocities as (

    select * from {{ ref('int_iterations_with_velocity') }}

),

-- Its last done iteration has the velocity and the volatility of now.
with_figures as (

    select
        projects.project_id,
        projects.project_id as entity_id,
        {{ as_text('projects.project_id') }} as entity_key,
        projects.load_id,
        projects.record_source,
        projects.updated_at as stated_at,
        projects_with_iterations.current_iteration_number,
        case
            when projects_with_iterations.current_iteration_number is null
                then 'no iteration that was read holds as_of'
        end as iteration_explanation,
        projects_with_iterations.current_velocity,
        100 * velocities.velocity_volatility as volatility_percent,
        velocities.weekly_points_deviation * project_settings.iteration_length_weeks
            as points_deviation,
        projects.tracker_current_iteration_number,
        projects.tracker_current_velocity,
        projects.tracker_current_volatility,
        projects.tracker_current_standard_deviation
    from projects
    inner join projects_with_iterations
        on projects.project_id = projects_with_iterations.project_id
    inner join project_settings
        on projects.project_id = project_settings.project_id
    left join velocities
        on projects_with_iterations.last_done_iteration_key = velocities.iteration_key

),

final as (

    {{ figures_as_rows('with_figures', 'project', [
        (
            'current_iteration_number', 'number',
            'current_iteration_number', 'tracker_current_iteration_number', 0,
            'null', 'iteration_explanation'
        ),
        ('current_velocity', 'points', 'current_velocity', 'tracker_current_velocity', 0),
        (
            'current_volatility', 'percent',
            'volatility_percent', 'tracker_current_volatility', 0.000001
        ),
        (
            'current_standard_deviation', 'points',
            'points_deviation', 'tracker_current_standard_deviation', 0.000001
        )
    ]) }}

)

select * from final
