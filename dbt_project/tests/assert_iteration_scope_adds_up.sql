-- Stories that entered an iteration's scope have left it or are still in it. The last
-- day of its burn has the same scope, and velocity's closed points are the accepted
-- points of that day.
with

velocities as (

    select * from {{ ref('fct_iteration_velocity') }}

),

burn_days as (

    select
        *,
        row_number() over (partition by iteration_key order by burn_date desc)
            as day_from_end
    from {{ ref('fct_iteration_burn_daily') }}

),

scope as (

    select
        scope.iteration_key,
        count(case when scope.exit_kind != 'removed' then 1 end) as story_count,
        count(case when scope.exit_kind = 'accepted' then 1 end)
            as accepted_story_count,
        sum(case when scope.exit_kind != 'removed' then scope.points_at_exit end)
            as points,
        sum(case when scope.exit_kind = 'accepted' then scope.points_at_exit end)
            as accepted_points,
        count(case when scope.is_committed then 1 end) as committed_story_count,
        count(case when stories.is_history_known then 1 end) as scope_story_count
    from {{ ref('fct_iteration_scope') }} as scope
    inner join {{ ref('fct_story_cycle_time') }} as stories
        on scope.story_id = stories.story_id
    group by scope.iteration_key

),

final as (

    select
        velocities.iteration_key,
        velocities.accepted_points_as_closed,
        burn_days.scope_story_count,
        burn_days.accepted_points,
        scope.story_count as scope_story_count_at_end,
        scope.accepted_points as scope_accepted_points
    from velocities
    left join burn_days
        on
            velocities.iteration_key = burn_days.iteration_key
            and burn_days.day_from_end = 1
    left join scope
        on velocities.iteration_key = scope.iteration_key
    where
        burn_days.scope_story_count != coalesce(scope.story_count, 0)
        or burn_days.scope_points != coalesce(scope.points, 0)
        or (burn_days.iteration_key is null and scope.story_count > 0)
        or (burn_days.scope_story_count is null and scope.scope_story_count > 0)
        or coalesce(burn_days.accepted_story_count, 0)
        != coalesce(scope.accepted_story_count, 0)
        or coalesce(burn_days.accepted_points, 0) != coalesce(scope.accepted_points, 0)
        or (
            velocities.is_done
            and velocities.accepted_points_as_closed is not null
            and {{ differ(
                'velocities.accepted_points_as_closed', 'burn_days.accepted_points'
            ) }}
        )
        or velocities.committed_story_count + velocities.added_story_count
        != coalesce(scope.scope_story_count, 0)
        or velocities.committed_story_count
        != coalesce(scope.committed_story_count, 0)
        or velocities.carried_in_points > velocities.committed_points

)

select * from final
