{{ config(enabled=is_built('flow')) }}
with

project_settings as (

    select * from {{ ref('int_projects') }}

),

stories as (

    select * from {{ ref('dim_story') }}

),

cycle_times as (

    select * from {{ ref('fct_story_cycle_time') }}
    where not is_deleted

),

stories_in_progress as (

    select * from cycle_times
    where current_state in {{ in_progress_states() }}

),

accepted_stories as (

    select * from cycle_times
    where is_accepted

),

intervals as (

    select * from {{ ref('fct_story_state_interval') }}
    where
        is_in_progress
        and not is_inferred

),

open_blockers as (

    select
        story_id,
        min(created_at) as blocked_since_at
    from {{ ref('fct_blocker') }}
    where not is_resolved
    group by story_id

),

age_dates as (

    select
        stories_in_progress.story_id,
        {{ local_date(
            'stories_in_progress.first_in_progress_at', 'project_settings.time_zone'
        ) }} as first_in_progress_date,
        {{ local_date('project_settings.as_of', 'project_settings.time_zone') }}
            as as_of_date
    from stories_in_progress
    inner join project_settings
        on stories_in_progress.project_id = project_settings.project_id

),

-- Ages and cycle times on one scale: a running count then says how many finished
-- stories took no longer, without comparing each with each.
compared as (

    select
        story_id,
        project_id,
        story_type,
        cycle_time_seconds as compared_seconds,
        0 as finished_count
    from stories_in_progress
    where cycle_time_seconds is not null

    union all

    select
        null as story_id,
        project_id,
        story_type,
        cycle_time_seconds as compared_seconds,
        1 as finished_count
    from accepted_stories
    where cycle_time_seconds is not null

),

-- The range includes the stories that took equally long.
age_ranks as (

    select
        story_id,
        sum(finished_count) over (
            partition by project_id, story_type
            order by compared_seconds
            range between unbounded preceding and current row
        ) as not_longer_count,
        sum(finished_count) over (partition by project_id, story_type)
            as compared_story_count
    from compared

),

age_percentiles as (

    select
        story_id,
        cast(compared_story_count as bigint) as compared_story_count,
        case
            when compared_story_count >= {{ min_items_for_percentile() }}
                then
                    {{ as_double('not_longer_count') }}
                    / nullif(compared_story_count, 0)
        end as age_percentile
    from age_ranks
    where story_id is not null

),

ages_at_exit as (

    select
        story_id,
        story_state,
        sum(interval_seconds) over (
            partition by story_id
            order by interval_number
            rows between unbounded preceding and current row
        ) as age_seconds
    from intervals

),

-- A story that came back to a state left it for good with its last exit.
last_exits as (

    select
        story_id,
        story_state,
        cast(max(age_seconds) as bigint) as exit_age_seconds
    from ages_at_exit
    group by
        story_id,
        story_state

),

ranked_exits as (

    select
        accepted_stories.project_id,
        accepted_stories.story_type,
        last_exits.story_state,
        last_exits.exit_age_seconds,
        row_number() over (
            partition by
                accepted_stories.project_id,
                accepted_stories.story_type,
                last_exits.story_state
            order by last_exits.exit_age_seconds
        ) as exit_age_rank,
        count(*) over (
            partition by
                accepted_stories.project_id,
                accepted_stories.story_type,
                last_exits.story_state
        ) as exit_count
    from accepted_stories
    inner join last_exits
        on accepted_stories.story_id = last_exits.story_id

),

state_exits as (

    select
        project_id,
        story_type,
        story_state,
        count(*) as story_count,
        {{ discrete_percentile('exit_age_seconds', 'exit_age_rank', 'exit_count', 50) }}
            as p50_seconds,
        {{ discrete_percentile('exit_age_seconds', 'exit_age_rank', 'exit_count', 85) }}
            as p85_seconds
    from ranked_exits
    group by
        project_id,
        story_type,
        story_state

),

final as (

    select
        stories_in_progress.story_id,
        stories_in_progress.project_id,
        stories.story_name,
        stories_in_progress.story_type,
        stories_in_progress.current_state,
        stories.owner_names,
        case
            when age_percentiles.age_percentile < 0.5 then 'low'
            when age_percentiles.age_percentile < 0.85 then 'medium'
            when age_percentiles.age_percentile >= 0.85 then 'high'
        end as risk,
        stories_in_progress.estimate,
        stories.open_age_days,
        stories_in_progress.cycle_time_seconds as age_seconds,
        {{ days_between('age_dates.first_in_progress_date', 'age_dates.as_of_date') }}
        + 1 as age_days,
        current_intervals.interval_seconds as state_age_seconds,
        stories_in_progress.rejected_count,
        age_percentiles.compared_story_count,
        age_percentiles.age_percentile,
        state_exits.story_count as state_compared_story_count,
        state_exits.p50_seconds as state_p50_age_seconds,
        state_exits.p85_seconds as state_p85_age_seconds,
        stories.open_blocker_count,
        stories.open_blocker_count > 0 as is_blocked,
        stories_in_progress.first_in_progress_at,
        current_intervals.entered_at as state_entered_at,
        open_blockers.blocked_since_at
    from stories_in_progress
    inner join stories
        on stories_in_progress.story_id = stories.story_id
    inner join age_dates
        on stories_in_progress.story_id = age_dates.story_id
    -- A history with a hole may end in another state than the current one.
    left join intervals as current_intervals
        on
            stories_in_progress.story_id = current_intervals.story_id
            and stories_in_progress.current_state = current_intervals.story_state
            and current_intervals.is_open
    left join age_percentiles
        on stories_in_progress.story_id = age_percentiles.story_id
    left join state_exits
        on
            stories_in_progress.project_id = state_exits.project_id
            and stories_in_progress.story_type = state_exits.story_type
            and stories_in_progress.current_state = state_exits.story_state
    left join open_blockers
        on stories_in_progress.story_id = open_blockers.story_id

)

select * from final
