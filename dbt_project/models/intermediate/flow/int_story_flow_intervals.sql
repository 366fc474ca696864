-- A table: the daily flow and forecasts read it.
{{ config(materialized='table') }}

with

stories as (

    select * from {{ ref('int_stories') }}

),

aging_intervals as (

    select
        *,
        story_state in {{ in_progress_states() }} and not is_inferred as is_aging
    from {{ ref('int_story_state_intervals') }}

),

stories_of_unknown_history as (

    select
        *,
        current_state is null and not is_deleted as is_unknown_now
    from stories
    where not is_history_known

),

-- A story's age grows by a second each second while it is in progress. So its age at an
-- instant is what it would have been at the epoch, plus the seconds since the epoch.
recorded_intervals as (

    select
        *,
        case
            when is_aging
                then
                    coalesce(
                        sum(case when is_aging then interval_seconds end) over (
                            partition by story_id
                            order by interval_number
                            rows between unbounded preceding and 1 preceding
                        ),
                        0
                    )
                    - {{ seconds_between(as_instant("'1970-01-01'"), 'entered_at') }}
        end as age_at_epoch_seconds
    from aging_intervals

),

-- A story whose history is not known is open in an unknown state from its creation to
-- its acceptance. Its record has its state at as_of, also if it has no date at all.
intervals as (

    select
        story_id,
        story_state,
        is_open,
        age_at_epoch_seconds,
        counted_from,
        counted_until
    from recorded_intervals

    union all

    select
        stories_of_unknown_history.story_id,
        'unknown' as story_state,
        stories_of_unknown_history.is_unknown_now as is_open,
        null as age_at_epoch_seconds,
        coalesce(
            stories_of_unknown_history.created_at, stories_of_unknown_history.as_of
        ) as counted_from,
        coalesce(
            stories_of_unknown_history.accepted_at,
            stories_of_unknown_history.deleted_at,
            stories_of_unknown_history.as_of
        ) as counted_until
    from stories_of_unknown_history
    where
        (
            stories_of_unknown_history.created_at is not null
            or stories_of_unknown_history.is_unknown_now
        )
        and (
            stories_of_unknown_history.accepted_at is null
            or stories_of_unknown_history.accepted_at
            > stories_of_unknown_history.created_at
        )

    union all

    select
        stories_of_unknown_history.story_id,
        stories_of_unknown_history.current_state as story_state,
        true as is_open,
        null as age_at_epoch_seconds,
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

    select * from {{ ref('int_projects') }}

),

-- An interval in a state is split where project, type or estimate change. Versions have
-- no gaps or overlaps; the first one also covers an import that was accepted before its
-- creation, the last one what is still open at as_of.
flow_intervals as (

    select
        intervals.story_id,
        versions.project_id,
        {{ flow_state('intervals.story_state') }} as story_state,
        versions.estimate,
        intervals.age_at_epoch_seconds,
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
        cast(flow_intervals.age_at_epoch_seconds as bigint) as age_at_epoch_seconds,
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
