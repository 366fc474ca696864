with

scope as (

    select * from {{ ref('int_iteration_scope') }}

),

stories as (

    select * from {{ ref('int_stories') }}

),

versions as (

    select * from {{ ref('int_story_versions') }}

),

-- Versions tile: one holds at the entry, and one up to the exit or the end.
final as (

    select
        scope.iteration_key,
        scope.story_id,
        scope.project_id,
        entry_versions.story_type,
        scope.entry_kind,
        scope.commitment_source,
        scope.exit_kind,
        entry_versions.estimate as points_at_entry,
        exit_versions.estimate as points_at_exit,
        case
            when stories.is_history_known or scope.entry_kind != 'unknown'
                then scope.is_committed
        end as is_committed,
        stories.is_history_known,
        scope.entered_at,
        scope.exited_at
    from scope
    inner join stories
        on scope.story_id = stories.story_id
    inner join versions as entry_versions
        on
            scope.story_id = entry_versions.story_id
            and (
                scope.entered_at >= entry_versions.valid_from
                or entry_versions.version_number = 1
            )
            and scope.entered_at < entry_versions.valid_to
    inner join versions as exit_versions
        on
            scope.story_id = exit_versions.story_id
            and (
                scope.last_member_at > exit_versions.valid_from
                or exit_versions.version_number = 1
            )
            and scope.last_member_at <= exit_versions.valid_to

)

select * from final
