with

plan_stories as (

    select * from {{ ref('int_plans_with_stories') }}

),

time_in_states as (

    select * from {{ ref('int_stories_with_time_in_states') }}

),

stories_in_order as (

    select * from {{ ref('int_stories_in_backlog_order') }}

),

-- What waits in each project, the icebox left out; and whether its order is known.
backlogs as (

    select
        stories.project_id,
        count(*) as story_count,
        count(stories_in_order.story_id) as placed_story_count,
        coalesce(sum(stories.estimate), 0) as points
    from {{ ref('int_stories') }} as stories
    left join stories_in_order
        on
            stories.story_id = stories_in_order.story_id
            and stories_in_order.is_waiting
    where
        not stories.is_deleted
        and coalesce(stories.story_type, '') != 'release'
        and coalesce(stories.current_state, '') not in ('accepted', 'unscheduled')
    group by stories.project_id

),

counted as (

    select
        plan_stories.target_kind,
        plan_stories.target_id,
        count(*) as story_count,
        count(case when plan_stories.is_accepted then 1 end) as accepted_story_count,
        count(case when not plan_stories.is_accepted then 1 end)
            as remaining_story_count,
        count(case when plan_stories.current_state = 'unscheduled' then 1 end)
            as unscheduled_story_count,
        count(
            case when plan_stories.current_state in ('unstarted', 'planned') then 1 end
        ) as unstarted_story_count,
        count(
            case
                when plan_stories.current_state in {{ in_progress_states() }}
                    then 1
            end
        ) as in_progress_story_count,
        count(
            case
                when not plan_stories.is_accepted and plan_stories.estimate is null
                    then 1
            end
        ) as unestimated_story_count,
        coalesce(sum(plan_stories.estimate), 0) as total_points,
        coalesce(
            sum(case when plan_stories.is_accepted then plan_stories.estimate end), 0
        ) as accepted_points,
        coalesce(
            sum(
                case when not plan_stories.is_accepted then plan_stories.estimate end
            ), 0
        ) as remaining_points,
        coalesce(max(stories_in_order.queued_story_count), 0) as placed_story_count,
        coalesce(max(stories_in_order.queued_points), 0) as placed_points,
        count(
            case
                when not plan_stories.is_accepted and stories_in_order.story_id is null
                    then 1
            end
        ) as unplaced_story_count,
        coalesce(
            sum(
                case
                    when plan_stories.current_state = 'unscheduled'
                        then plan_stories.estimate
                end
            ), 0
        ) as unscheduled_points,
        min(time_in_states.first_in_progress_at) as first_started_at,
        max(plan_stories.accepted_at) as last_accepted_at
    from plan_stories
    left join time_in_states
        on plan_stories.story_id = time_in_states.story_id
    left join stories_in_order
        on
            plan_stories.story_id = stories_in_order.story_id
            and stories_in_order.is_waiting
    group by
        plan_stories.target_kind,
        plan_stories.target_id

),

plans as (

    select * from {{ ref('int_plans') }}

),

-- The queue down to its last story. One without a place stands after the whole backlog,
-- and the icebox comes last.
final as (

    select
        plans.target_kind,
        plans.target_id,
        plans.project_id,
        {% for measure in [
            'story_count', 'accepted_story_count', 'remaining_story_count',
            'unscheduled_story_count', 'unstarted_story_count',
            'in_progress_story_count', 'unestimated_story_count', 'total_points',
            'accepted_points', 'remaining_points'
        ] %}
        coalesce(counted.{{ measure }}, 0) as {{ measure }},
        {% endfor %}
        case
            when counted.unplaced_story_count > 0
                then
                    coalesce(backlogs.story_count, 0) + counted.unscheduled_story_count
            else coalesce(counted.placed_story_count, 0)
        end as queued_story_count,
        case
            when counted.unplaced_story_count > 0
                then coalesce(backlogs.points, 0) + counted.unscheduled_points
            else coalesce(counted.placed_points, 0)
        end as queued_points,
        case
            when
                plans.target_kind != 'project'
                and counted.unplaced_story_count > 0
                and coalesce(backlogs.placed_story_count, 0) = 0
                then 'nothing planned'
        end as gap_reason,
        plans.deadline_at,
        counted.first_started_at,
        counted.last_accepted_at
    from plans
    left join counted
        on
            plans.target_kind = counted.target_kind
            and plans.target_id = counted.target_id
    left join backlogs
        on plans.project_id = backlogs.project_id

)

select * from final
