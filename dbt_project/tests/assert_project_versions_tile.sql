-- A project's versions have no gaps or overlaps until as_of, and the last one equals
-- dim_project (unless its row was updated after as_of).
with

versions as (

    select * from {{ ref('int_project_versions') }}

),

projects as (

    select * from {{ ref('stg_pivotal_tracker__projects') }}

),

projects_as_of as (

    select * from {{ ref('int_projects') }}

),

with_next as (

    select
        *,
        lead(valid_from) over (partition by project_id order by version_number)
            as next_valid_from
    from versions

),

final as (

    select
        projects.project_id,
        with_next.version_number,
        with_next.valid_from,
        with_next.valid_to
    from projects
    inner join projects_as_of
        on projects.project_id = projects_as_of.project_id
    left join with_next
        on projects.project_id = with_next.project_id
    where
        (
            with_next.project_id is null
            and coalesce(projects.created_at <= projects_as_of.as_of, true)
        )
        or with_next.valid_to
        != coalesce(with_next.next_valid_from, projects_as_of.as_of)
        or with_next.is_last != (with_next.next_valid_from is null)
        or (
            with_next.is_last
            and coalesce(projects.updated_at <= projects_as_of.as_of, true)
            and (
                {{ differ('with_next.project_name', 'projects.project_name') }}
                or {{ differ('with_next.time_zone', 'projects.time_zone') }}
                or {{ differ('with_next.point_scale', 'projects.point_scale') }}
                or {{ differ(
                    'with_next.is_automatic_planning',
                    'projects.is_automatic_planning'
                ) }}
            )
        )

)

select * from final
