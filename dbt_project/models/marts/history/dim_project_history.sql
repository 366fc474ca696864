{{ config(enabled=is_built('history')) }}
with

versions as (

    select * from {{ ref('int_project_versions') }}

),

final as (

    select
        project_id || '-' || version_number as project_version_key,
        project_id,
        project_name,
        time_zone,
        week_start_day,
        point_scale,
        version_number,
        iteration_length_weeks,
        velocity_averaged_over,
        initial_velocity,
        estimates_bugs_and_chores,
        is_automatic_planning,
        is_public,
        is_last as is_current,
        is_inferred,
        valid_from,
        valid_to
    from versions

)

select * from final
