{{ config(enabled=is_built('plans')) }}
-- A table: forecasts and back tests read it, and it is small.
{{ config(materialized='table') }}

with

cuts as (

    select * from {{ ref('int_forecast_cuts') }}

),

plans as (

    select * from {{ ref('int_plans') }}
    where remaining_story_count > 0

),

stories as (

    select * from {{ ref('int_stories') }}
    where coalesce(story_type, '') != 'release'

),

project_settings as (

    select * from {{ ref('int_projects') }}

),

outside_backlog as (

    select * from {{ ref('int_stories_outside_backlog') }}

),

story_days as (

    select
        stories.story_id,
        stories.project_id,
        stories.estimate,
        stories.is_history_known,
        {{ local_date('stories.created_at', 'project_settings.time_zone') }}
            as created_date,
        {{ local_date('stories.deleted_at', 'project_settings.time_zone') }}
            as deleted_date
    from stories
    inner join project_settings
        on stories.project_id = project_settings.project_id

),

-- The backlog at the end of a past day: stories that existed and were neither accepted
-- nor in the icebox. A story has at most one interval at that moment. If the history of
-- a story is unknown, it may have been in the icebox: that day has no backlog.
past_backlogs as (

    select
        cuts.project_id,
        cuts.cut_date,
        count(*) as story_count,
        sum(story_days.estimate) as points
    from cuts
    inner join story_days
        on
            cuts.project_id = story_days.project_id
            and cuts.cut_date >= story_days.created_date
            and (
                story_days.deleted_date is null
                or cuts.cut_date < story_days.deleted_date
            )
    left join outside_backlog
        on
            story_days.story_id = outside_backlog.story_id
            and cuts.cut_date >= outside_backlog.entered_date
            and (
                outside_backlog.left_date is null
                or cuts.cut_date < outside_backlog.left_date
            )
    where
        cuts.is_backtest
        and outside_backlog.story_id is null
    group by
        cuts.project_id,
        cuts.cut_date
    having count(case when not story_days.is_history_known then 1 end) = 0

),

final as (

    select
        plans.project_id,
        cuts.cut_date,
        plans.target_kind,
        plans.target_id,
        plans.queue_gap_reason,
        plans.remaining_story_count,
        plans.queued_story_count,
        plans.queued_points,
        plans.deadline_date
    from plans
    inner join cuts
        on
            plans.project_id = cuts.project_id
            and cuts.is_current

    union all

    select
        project_id,
        cut_date,
        'project' as target_kind,
        project_id as target_id,
        {{ as_text('null') }} as queue_gap_reason,
        story_count as remaining_story_count,
        story_count as queued_story_count,
        points as queued_points,
        cast(null as date) as deadline_date
    from past_backlogs

)

select * from final
