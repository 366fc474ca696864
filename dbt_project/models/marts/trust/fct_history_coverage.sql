with

projects_as_of as (

    select * from {{ ref('int_projects_as_of') }}

),

version_periods as (

    select * from {{ ref('int_project_version_periods') }}

),

dated_rows as (

    select * from {{ ref('int_source_rows_dated') }}

),

periods as (

    select
        dated_rows.project_id,
        dated_rows.source_name,
        dated_rows.record_source,
        cast(null as bigint) as first_project_version,
        cast(null as bigint) as last_project_version,
        count(*) as row_count,
        false as is_hole,
        min(dated_rows.occurred_at) as first_at,
        max(dated_rows.occurred_at) as last_at
    from dated_rows
    inner join projects_as_of
        on dated_rows.project_id = projects_as_of.project_id
    where
        dated_rows.occurred_at is null
        or dated_rows.occurred_at <= projects_as_of.as_of
    group by
        dated_rows.project_id,
        dated_rows.source_name,
        dated_rows.record_source

    union all

    select
        project_id,
        'activities' as source_name,
        'api' as record_source,
        first_version as first_project_version,
        last_version as last_project_version,
        version_count as row_count,
        is_hole,
        first_at,
        last_at
    from version_periods

),

numbered as (

    select
        *,
        cast(
            row_number() over (
                partition by project_id, source_name
                order by first_project_version, record_source
            ) as bigint
        ) as period_number
    from periods

),

final as (

    select
        project_id || '-' || source_name || '-' || period_number
            as history_coverage_key,
        project_id,
        source_name,
        record_source,
        period_number,
        first_project_version,
        last_project_version,
        row_count,
        is_hole,
        first_at,
        last_at
    from numbered

)

select * from final
