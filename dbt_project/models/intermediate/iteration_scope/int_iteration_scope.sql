-- A table: the mart and the sums of each iteration read it.
{{ config(materialized='table') }}

with

iterations as (

    select * from {{ ref('int_iterations_with_room') }}

),

memberships as (

    select
        memberships.*,
        iterations.project_id,
        iterations.is_done,
        iterations.starts_at,
        iterations.stops_at,
        memberships.member_from = iterations.starts_at as is_at_start,
        memberships.member_to = iterations.stops_at as is_at_end
    from {{ ref('int_iteration_memberships') }} as memberships
    inner join iterations
        on memberships.iteration_key = iterations.iteration_key

),

-- One state at the start and one at the end, as the stays of a story do not overlap.
by_story as (

    select
        iteration_key,
        story_id,
        project_id,
        max(case when is_at_start then story_state end) as state_at_start,
        max(case when is_at_end then story_state end) as state_at_end,
        max(case when is_at_end and story_state = 'accepted' then accepted_at end)
            as accepted_at,
        count(case when is_start_unknown then 1 end) > 0 as is_start_unknown,
        is_done,
        starts_at,
        stops_at,
        min(member_from) as entered_at,
        max(member_to) as last_member_at
    from memberships
    group by
        iteration_key,
        story_id,
        project_id,
        is_done,
        starts_at,
        stops_at

),

-- A story accepted at the very start came in with its acceptance.
final as (

    select
        iteration_key,
        story_id,
        project_id,
        case
            when state_at_start in {{ in_progress_states() }} then 'carried in'
            when state_at_start in ('planned', 'unstarted') then 'committed'
            when is_start_unknown then 'unknown'
            else 'added'
        end as entry_kind,
        case
            when state_at_start = 'unstarted' then 'backlog order'
            when state_at_start != 'accepted' then 'state'
        end as commitment_source,
        case
            when state_at_end = 'accepted' then 'accepted'
            when state_at_end is null then 'removed'
            when is_done then 'spilled'
            else 'open'
        end as exit_kind,
        coalesce(state_at_start != 'accepted', false) as is_committed,
        entered_at,
        case
            when state_at_end = 'accepted' then accepted_at
            when state_at_end is null then last_member_at
        end as exited_at,
        last_member_at
    from by_story

)

select * from final
