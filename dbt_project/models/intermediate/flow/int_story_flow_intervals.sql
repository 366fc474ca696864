with

stories as (

    select * from {{ ref('int_stories') }}

),

stories_of_unknown_history as (

    select
        *,
        current_state is null and not is_deleted as is_unknown_now
    from stories
    where
        not is_history_known
        and created_at is not null

),

-- A story whose history is not known is open in an unknown state from its creation to
-- its acceptance. The record that was read says where it is at as_of.
intervals as (

    select
        story_id,
        story_state,
        is_open,
        counted_from,
        counted_until
    from {{ ref('int_story_state_intervals') }}

    union all

    select
        stories_of_unknown_history.story_id,
        'unknown' as story_state,
        stories_of_unknown_history.is_unknown_now as is_open,
        stories_of_unknown_history.created_at as counted_from,
        coalesce(
            stories_of_unknown_history.accepted_at,
            stories_of_unknown_history.deleted_at,
            stories_of_unknown_history.as_of
        ) as counted_until
    from stories_of_unknown_history
    where
        stories_of_unknown_history.accepted_at is null
        or stories_of_unknown_history.accepted_at
        > stories_of_unknown_history.created_at

    union all

    select
        stories_of_unknown_history.story_id,
        stories_of_unknown_history.current_state as story_state,
        true as is_open,
        stories_of_unknown_history.as_of as counted_from,
        stories_of_unknown_history.as_of as counted_until
    from stories_of_unknown_history
    where
        stories_of_unknown_history.current_state is not null
        and stories_of_unknown_history.accepted_at is null
        and not stories_of_unknown_history.is_deleted

),

versions as (

    select * from {{ ref('int_story_versions') }}

),

project_settings as (

    select * from {{ ref('int_project_settings') }}

),

-- An interval in a state is cut where project, type or estimate change. Versions tile;
-- the first one also speaks for an import that was accepted before its creation, the
-- last one for what is still open at as_of.
flow_intervals as (

    select
        intervals.story_id,
        versions.project_id,
        intervals.story_state,
        versions.estimate,
        intervals.is_open and versions.is_last as is_open,
        case
            when versions.version_number = 1 then intervals.counted_from
            else {{ latest('intervals.counted_from', 'versions.valid_from') }}
        end as entered_at,
        case
            when versions.is_last then intervals.counted_until
            else {{ earliest('intervals.counted_until', 'versions.valid_to') }}
        end as left_at
    from intervals
    inner join versions
        on
            intervals.story_id = versions.story_id
            and (
                versions.version_number = 1
                or intervals.counted_until > versions.valid_from
                or (intervals.is_open and intervals.counted_until = versions.valid_from)
            )
            and (intervals.counted_from < versions.valid_to or versions.is_last)
    where coalesce(versions.story_type, '') != 'release'

),

final as (

    select
        flow_intervals.story_id,
        flow_intervals.project_id,
        flow_intervals.story_state,
        flow_intervals.estimate,
        {{ local_date('flow_intervals.entered_at', 'project_settings.time_zone') }}
            as entered_date,
        case
            when not flow_intervals.is_open
                then {{ local_date(
                    'flow_intervals.left_at', 'project_settings.time_zone'
                ) }}
        end as left_date
    from flow_intervals
    inner join project_settings
        on flow_intervals.project_id = project_settings.project_id

)

select * from final
