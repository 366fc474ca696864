with

runs as (

    select * from {{ ref('int_project_version_runs') }}

),

-- A hole lies before each run that does not follow on, and after the last one.
final as (

    select
        project_id,
        first_version,
        last_version,
        last_version - first_version + 1 as version_count,
        false as is_hole,
        first_at,
        last_at
    from runs

    union all

    select
        project_id,
        version_before + 1 as first_version,
        first_version - 1 as last_version,
        first_version - 1 - version_before as version_count,
        true as is_hole,
        known_before_at as first_at,
        first_at as last_at
    from runs
    where first_version > version_before + 1

    union all

    select
        project_id,
        last_version + 1 as first_version,
        last_possible_version as last_version,
        last_possible_version - last_version as version_count,
        true as is_hole,
        last_at as first_at,
        null as last_at
    from runs
    where
        version_after is null
        and last_possible_version > last_version

)

select * from final
