with

projects_as_of as (

    select * from {{ ref('int_projects') }}

),

projects as (

    select * from {{ ref('stg_pivotal_tracker__projects') }}

),

-- Tracker gives each change of a project the next version. The sentences of a history
-- file are numbered by us: holes cannot be seen in them.
activities as (

    select
        activities.project_id,
        activities.record_source,
        activities.project_version,
        activities.occurred_at,
        activities.occurred_at <= projects_as_of.as_of as is_past
    from {{ ref('stg_pivotal_tracker__activities') }} as activities
    inner join projects_as_of
        on activities.project_id = projects_as_of.project_id
    where
        activities.record_source != 'history_csv'
        and activities.project_version is not null

),

-- The last version at as_of: those after it belong to later activities.
bounds as (

    select
        projects.project_id,
        coalesce(
            min(
                case when not activities.is_past then activities.project_version end
            ) - 1,
            max(projects.project_version)
        ) as last_version
    from projects
    left join activities
        on projects.project_id = activities.project_id
    group by projects.project_id

),

known as (

    select
        project_id,
        record_source,
        project_version,
        occurred_at,
        project_version - row_number() over (
            partition by project_id order by project_version
        ) as run_number
    from activities
    where is_past

),

consecutive_versions as (

    select
        project_id,
        case when min(record_source) = max(record_source) then min(record_source) end
            as record_source,
        min(project_version) as first_version,
        max(project_version) as last_version,
        min(occurred_at) as first_at,
        max(occurred_at) as last_at
    from known
    group by
        project_id,
        run_number

),

runs as (

    select
        consecutive_versions.*,
        bounds.last_version as last_possible_version,
        lag(consecutive_versions.last_version, 1, 0) over (
            partition by consecutive_versions.project_id
            order by consecutive_versions.first_version
        ) as version_before,
        lag(consecutive_versions.last_at) over (
            partition by consecutive_versions.project_id
            order by consecutive_versions.first_version
        ) as known_before_at,
        lead(consecutive_versions.first_version) over (
            partition by consecutive_versions.project_id
            order by consecutive_versions.first_version
        ) as version_after
    from consecutive_versions
    left join bounds
        on consecutive_versions.project_id = bounds.project_id

),

-- A hole lies before each run that does not follow on, and after the last one.
final as (

    select
        project_id,
        record_source,
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
        null as record_source,
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
        null as record_source,
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
