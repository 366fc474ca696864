-- For the day of as_of and every 47th day before it, look up each story's state and
-- version at the end of the day and count the stories without running sums.
with

project_settings as (

    select * from {{ ref('int_projects') }}

),

numbered_days as (

    select
        *,
        row_number() over (partition by project_id order by calendar_date desc)
            as day_number
    from {{ ref('int_project_days') }}

),

sampled_days as (

    select * from numbered_days
    where mod(day_number, 47) = 1

),

versions as (

    select
        versions.*,
        {{ local_date('versions.valid_from', 'project_settings.time_zone') }}
            as from_date,
        {{ local_date('versions.valid_to', 'project_settings.time_zone') }} as to_date,
        project_settings.time_zone
    from {{ ref('int_story_versions') }} as versions
    inner join project_settings
        on versions.project_id = project_settings.project_id
    where coalesce(versions.story_type, '') != 'release'

),

stories_of_unknown_history as (

    select * from {{ ref('int_stories') }}
    where
        not is_history_known
        and (created_at is not null or (accepted_at is null and not is_deleted))

),

intervals as (

    select
        story_id,
        {{ flow_state('story_state') }} as story_state,
        is_open,
        counted_from,
        counted_until
    from {{ ref('int_story_state_intervals') }}

    union all

    select
        story_id,
        'unknown' as story_state,
        current_state is null and not is_deleted as is_open,
        coalesce(created_at, as_of) as counted_from,
        coalesce(accepted_at, deleted_at, as_of) as counted_until
    from stories_of_unknown_history

    union all

    select
        story_id,
        {{ flow_state('current_state') }} as story_state,
        true as is_open,
        as_of as counted_from,
        as_of as counted_until
    from stories_of_unknown_history
    where
        current_state is not null
        and accepted_at is null
        and not is_deleted

),

counted as (

    select
        sampled_days.project_id,
        intervals.story_state,
        sampled_days.calendar_date,
        count(*) as story_count,
        count(distinct versions.story_id) as different_story_count,
        coalesce(sum(versions.estimate), 0) as points
    from sampled_days
    inner join versions
        on
            sampled_days.project_id = versions.project_id
            and (
                sampled_days.calendar_date >= versions.from_date
                or versions.version_number = 1
            )
            and (
                sampled_days.calendar_date < versions.to_date
                or versions.is_last
            )
    inner join intervals
        on
            versions.story_id = intervals.story_id
            and sampled_days.calendar_date
            >= {{ local_date('intervals.counted_from', 'versions.time_zone') }}
            and (
                sampled_days.calendar_date
                < {{ local_date('intervals.counted_until', 'versions.time_zone') }}
                or intervals.is_open
            )
    group by
        sampled_days.project_id,
        intervals.story_state,
        sampled_days.calendar_date

),

flow as (

    select
        flow.*,
        sampled_days.calendar_date
    from {{ ref('fct_flow_daily') }} as flow
    inner join sampled_days
        on
            flow.project_id = sampled_days.project_id
            and flow.flow_date = sampled_days.calendar_date

)

select
    flow.project_id,
    flow.story_state,
    flow.flow_date,
    flow.story_count,
    flow.points,
    counted.story_count as naive_story_count,
    counted.points as naive_points
from flow
full outer join counted
    on
        flow.project_id = counted.project_id
        and flow.story_state = counted.story_state
        and flow.flow_date = counted.calendar_date
where
    flow.project_id is null
    or flow.story_count != coalesce(counted.story_count, 0)
    or flow.points != coalesce(counted.points, 0)
    or counted.story_count != counted.different_story_count
