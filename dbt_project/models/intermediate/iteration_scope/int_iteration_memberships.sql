-- A table: the scope and the daily burn read it.
{{ config(materialized='table') }}

with

iterations as (

    select * from {{ ref('int_iterations_with_capacity') }}

),

intervals as (

    select * from {{ ref('int_story_state_intervals_by_project') }}

),

plans as (

    select * from {{ ref('int_iteration_plans') }}

),

-- In scope at an instant: in progress or planned then; accepted within the iteration;
-- or taken in by the plan at its start, and still in the backlog.
memberships as (

    select
        iterations.iteration_key,
        intervals.story_id,
        intervals.story_state,
        coalesce(
            intervals.first_known_at > iterations.starts_at
            and (
                intervals.created_at is null
                or intervals.created_at < iterations.starts_at
            ),
            false
        ) as is_start_unknown,
        intervals.accepted_at,
        {{ latest('intervals.entered_at', 'iterations.starts_at') }} as member_from,
        {{ earliest('intervals.left_at', 'iterations.stops_at') }} as member_to
    from iterations
    inner join intervals
        on
            iterations.project_id = intervals.project_id
            and iterations.stops_at > intervals.entered_at
            and iterations.starts_at < intervals.left_at
    left join plans
        on
            iterations.iteration_key = plans.iteration_key
            and intervals.story_id = plans.story_id
    where
        intervals.story_state in {{ in_progress_states() }}
        or intervals.story_state = 'planned'
        or (intervals.story_state = 'unstarted' and plans.story_id is not null)
        or (
            intervals.story_state = 'accepted'
            and intervals.accepted_at >= iterations.starts_at
            and intervals.accepted_at < iterations.stops_at
        )

),

final as (

    select * from memberships
    where member_from < member_to

)

select * from final
