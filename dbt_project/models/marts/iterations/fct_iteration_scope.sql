{{ config(enabled=is_built('iterations')) }}
with

iterations as (

    select * from {{ ref('int_iterations_with_velocity') }}

),

stories as (

    select * from {{ ref('int_stories') }}

),

versions as (

    select * from {{ ref('int_story_versions') }}

),

memberships as (

    select
        memberships.*,
        iterations.project_id,
        iterations.is_done,
        memberships.member_from = iterations.starts_at as is_at_start,
        memberships.member_to = iterations.counted_until as is_at_end
    from {{ ref('int_iteration_memberships') }} as memberships
    inner join iterations
        on memberships.iteration_key = iterations.iteration_key

),

-- One state at the start and one at the end, as a story's intervals do not overlap.
by_story as (

    select
        iteration_key,
        story_id,
        project_id,
        is_done,
        max(case when is_at_start then story_state end) as state_at_start,
        max(case when is_at_end then story_state end) as state_at_end,
        max(case when is_at_end and story_state = 'accepted' then accepted_at end)
            as accepted_at,
        count(case when is_start_unknown then 1 end) > 0 as is_start_unknown,
        min(member_from) as entered_at,
        max(member_to) as last_member_at
    from memberships
    group by
        iteration_key,
        story_id,
        project_id,
        is_done

),

-- A story accepted at the very start came in with its acceptance.
with_kinds as (

    select
        *,
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
        case
            when state_at_end = 'accepted' then accepted_at
            when state_at_end is null then last_member_at
        end as exited_at
    from by_story

),

-- Versions have no gaps or overlaps: one applies at the entry, and one until the exit
-- or the end.
final as (

    select
        with_kinds.iteration_key || '-' || with_kinds.story_id as iteration_scope_key,
        with_kinds.iteration_key,
        with_kinds.story_id,
        with_kinds.project_id,
        entry_versions.story_type,
        with_kinds.entry_kind,
        with_kinds.commitment_source,
        with_kinds.exit_kind,
        {{ as_decimal('entry_versions.estimate') }} as points_at_entry,
        {{ as_decimal('exit_versions.estimate') }} as points_at_exit,
        case
            when stories.is_history_known or with_kinds.entry_kind != 'unknown'
                then with_kinds.is_committed
        end as is_committed,
        coalesce(
            with_kinds.commitment_source = 'backlog order',
            with_kinds.entry_kind = 'unknown' or not stories.is_history_known
        ) as is_rebuilt,
        case when stories.is_history_known then with_kinds.entered_at end
            as entered_at,
        with_kinds.exited_at
    from with_kinds
    inner join stories
        on with_kinds.story_id = stories.story_id
    inner join versions as entry_versions
        on
            with_kinds.story_id = entry_versions.story_id
            and (
                with_kinds.entered_at >= entry_versions.valid_from
                or entry_versions.version_number = 1
            )
            and (
                with_kinds.entered_at < entry_versions.valid_to
                or entry_versions.is_last
            )
    inner join versions as exit_versions
        on
            with_kinds.story_id = exit_versions.story_id
            and (
                with_kinds.last_member_at > exit_versions.valid_from
                or exit_versions.version_number = 1
            )
            and (
                with_kinds.last_member_at <= exit_versions.valid_to
                or exit_versions.is_last
            )

)

select * from final
