-- A table: the scope and its daily course read it.
{{ config(materialized='table') }}

with

iterations as (

    select * from {{ ref('int_iterations_with_room') }}

),

stays as (

    select * from {{ ref('int_story_state_stays') }}

),

plans as (

    select * from {{ ref('int_iteration_plans') }}

),

-- In scope at an instant: in progress or planned then; accepted within the iteration;
-- or taken in by the plan at its start, and still in the backlog.
memberships as (

    select
        iterations.iteration_key,
        stays.story_id,
        stays.story_state,
        coalesce(
            stays.first_known_at > iterations.starts_at
            and (
                stays.created_at is null
                or stays.created_at < iterations.starts_at
            ),
            false
        ) as is_start_unknown,
        stays.accepted_at,
        {{ latest('stays.entered_at', 'iterations.starts_at') }} as member_from,
        {{ earliest('stays.left_at', 'iterations.stops_at') }} as member_to
    from iterations
    inner join stays
        on
            iterations.project_id = stays.project_id
            and iterations.stops_at > stays.entered_at
            and iterations.starts_at < stays.left_at
    left join plans
        on
            iterations.iteration_key = plans.iteration_key
            and stays.story_id = plans.story_id
    where
        stays.story_state in {{ in_progress_states() }}
        or stays.story_state = 'planned'
        or (stays.story_state = 'unstarted' and plans.story_id is not null)
        or (
            stays.story_state = 'accepted'
            and stays.accepted_at >= iterations.starts_at
            and stays.accepted_at < iterations.stops_at
        )

),

final as (

    select * from memberships
    where member_from < member_to

)

select * from final
