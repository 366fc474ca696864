{{ config(enabled=is_built('flow')) }}
with

stories as (

    select
        *,
        coalesce(current_state = 'accepted', false) as is_accepted
    from {{ ref('int_stories') }}
    where coalesce(story_type, '') != 'release'

),

cycle_times as (

    select * from {{ ref('int_stories_with_cycle_times') }}

),

wall_clocks as (

    select
        stories.story_id,
        cycle_times.first_in_progress_at as clock_started_at,
        case
            when stories.is_accepted then cycle_times.last_accepted_at
            else coalesce(stories.deleted_at, stories.as_of)
        end as clock_ended_at
    from stories
    left join cycle_times
        on stories.story_id = cycle_times.story_id

),

-- Withdrawn: work began, but the story was moved back to the backlog or icebox, or
-- deleted before acceptance.
withdrawals as (

    select
        stories.story_id,
        cycle_times.last_worked_on_until as withdrawn_at,
        cycle_times.last_known_state
    from stories
    inner join cycle_times
        on stories.story_id = cycle_times.story_id
    where
        cycle_times.first_in_progress_at is not null
        and (
            stories.current_state in ('unscheduled', 'unstarted', 'planned')
            or (stories.is_deleted and not stories.is_accepted)
        )

),

final as (

    select
        stories.story_id,
        stories.project_id,
        cycle_times.accepted_iteration_key as iteration_key,
        stories.story_type,
        stories.current_state,
        case
            when cycle_times.last_known_state is null then 'none'
            when cycle_times.last_known_state = stories.current_state
                then 'complete'
            else 'partial'
        end as history_coverage,
        stories.estimate,
        cycle_times.cycle_time_seconds,
        case
            when wall_clocks.clock_started_at <= wall_clocks.clock_ended_at
                then {{ seconds_between('clock_started_at', 'clock_ended_at') }}
        end as elapsed_cycle_time_seconds,
        case
            when stories.is_accepted and stories.created_at <= stories.accepted_at
                then {{ seconds_between('stories.created_at', 'stories.accepted_at') }}
        end as lead_time_seconds,
        {% for measure in [
            'started_seconds', 'finished_seconds', 'delivered_seconds',
            'rejected_seconds', 'started_count', 'finished_count', 'delivered_count',
            'rejected_count', 'unaccepted_count'
        ] %}
        case
            when stories.is_history_known
                then coalesce(cycle_times.{{ measure }}, 0)
        end as {{ measure }},
        {% endfor %}
        stories.current_state = 'accepted' as is_accepted,
        stories.is_deleted,
        stories.is_date_only,
        stories.is_history_known,
        case when stories.is_history_known then withdrawals.story_id is not null end
            as is_withdrawn,
        stories.accepted_date,
        stories.created_date,
        stories.created_at,
        cycle_times.first_in_progress_at,
        cycle_times.first_started_at,
        cycle_times.first_finished_at,
        cycle_times.first_delivered_at,
        cycle_times.first_rejected_at,
        case when stories.is_history_known then cycle_times.first_accepted_at end
            as first_accepted_at,
        stories.accepted_at,
        -- A history with a hole does not say when work on the story ended.
        case
            when
                stories.is_deleted
                or withdrawals.last_known_state = stories.current_state
                then withdrawals.withdrawn_at
        end as withdrawn_at,
        stories.deleted_at
    from stories
    left join cycle_times
        on stories.story_id = cycle_times.story_id
    left join wall_clocks
        on stories.story_id = wall_clocks.story_id
    left join withdrawals
        on stories.story_id = withdrawals.story_id

)

select * from final
