{{ config(enabled=is_built('plans')) }}
with

cuts as (

    select * from {{ ref('int_forecast_cuts') }}
    where is_backtest

),

stories as (

    select * from {{ ref('int_stories') }}
    where coalesce(story_type, '') != 'release'

),

project_settings as (

    select * from {{ ref('int_project_settings') }}

),

put_aside as (

    select * from {{ ref('int_stories_put_aside') }}

),

lives as (

    select
        stories.story_id,
        stories.project_id,
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
final as (

    select
        cuts.project_id,
        cuts.cut_date,
        count(*) as story_count
    from cuts
    inner join lives
        on
            cuts.project_id = lives.project_id
            and cuts.cut_date >= lives.created_date
            and (lives.deleted_date is null or cuts.cut_date < lives.deleted_date)
    left join put_aside
        on
            lives.story_id = put_aside.story_id
            and cuts.cut_date >= put_aside.entered_date
            and (put_aside.left_date is null or cuts.cut_date < put_aside.left_date)
    where put_aside.story_id is null
    group by
        cuts.project_id,
        cuts.cut_date
    having count(case when not lives.is_history_known then 1 end) = 0

)

select * from final
