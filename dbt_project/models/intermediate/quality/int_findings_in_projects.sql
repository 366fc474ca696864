with

projects as (

    select * from {{ ref('dim_project') }}

),

version_holes as (

    select
        *,
        project_id || '-' || first_project_version as version_hole_key
    from {{ ref('fct_history_coverage') }}
    where is_hole

),

unknown_kinds as (

    select
        project_id,
        project_id || '-' || activity_kind as unknown_kind_key,
        min(activity_id) as activity_id
    from {{ ref('fct_activity') }}
    where
        activity_kind not in (
            {%- for kind in known_activity_kinds() %}
            '{{ kind }}_activity'{{ ',' if not loop.last }}
            {%- endfor %}
        )
    group by
        project_id,
        activity_kind

),

days_only as (

    select
        project_id,
        count(*) as story_count
    from {{ ref('stg_pivotal_tracker__stories') }}
    where is_date_only
    group by project_id

),

ids_made as (

    select
        project_id,
        count(*) as story_count
    from {{ ref('stg_pivotal_tracker__stories') }}
    where story_id < 0
    group by project_id

),

final as (

    {{ finding(
        'time_zone_missing', 'projects', 'project_id', "'counted in UTC'",
        'time_zone is null'
    ) }}

    union all

    {{ finding(
        'project_without_iterations', 'projects', 'project_id',
        "'accepted_story_count ' || accepted_story_count",
        'current_iteration_number is null and accepted_story_count > 0'
    ) }}

    union all

    {{ finding(
        'version_hole', 'version_holes', 'version_hole_key',
        "'project_version ' || first_project_version || ' to ' || last_project_version"
    ) }}

    union all

    {{ finding(
        'activity_kind_unknown', 'unknown_kinds', 'unknown_kind_key',
        "'activity_id ' || activity_id"
    ) }}

    union all

    {{ finding('dates_only', 'days_only', 'project_id', "'stories ' || story_count") }}

    union all

    {{ finding('ids_made', 'ids_made', 'project_id', "'stories ' || story_count") }}

)

select * from final
