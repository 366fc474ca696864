with

days as (

    select * from {{ ref('int_iteration_days') }}

),

memberships as (

    select * from {{ ref('int_iteration_memberships') }}

),

versions as (

    select * from {{ ref('int_story_versions') }}

),

-- At the end of the day a story is in one stay and in one version. A left join, so that
-- no planner matches versions with days first: they share nothing but instants.
final as (

    select
        days.iteration_key,
        days.burn_date,
        count(*) as scope_story_count,
        sum(coalesce(versions.estimate, 0)) as scope_points,
        count(case when memberships.story_state = 'accepted' then 1 end)
            as accepted_story_count,
        coalesce(
            sum(
                case
                    when memberships.story_state = 'accepted'
                        then versions.estimate
                end
            ),
            0
        ) as accepted_points
    from days
    inner join memberships
        on
            days.iteration_key = memberships.iteration_key
            and days.ends_at > memberships.member_from
            and days.ends_at <= memberships.member_to
    left join versions
        on
            memberships.story_id = versions.story_id
            and (days.ends_at > versions.valid_from or versions.version_number = 1)
            and days.ends_at <= versions.valid_to
    group by
        days.iteration_key,
        days.burn_date

)

select * from final
