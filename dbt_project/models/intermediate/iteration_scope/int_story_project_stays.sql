with

versions as (

    select * from {{ ref('int_story_versions') }}

),

-- Consecutive versions in one project are one stay: both numbers grow by one there.
with_stays as (

    select
        *,
        version_number - row_number() over (
            partition by story_id, project_id
            order by version_number
        ) as stay_number
    from versions

),

final as (

    select
        story_id,
        project_id,
        min(version_number) = 1 as is_first,
        min(valid_from) as valid_from,
        max(valid_to) as valid_to
    from with_stays
    group by
        story_id,
        project_id,
        stay_number

)

select * from final
