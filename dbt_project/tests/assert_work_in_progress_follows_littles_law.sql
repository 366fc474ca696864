-- Little's law: in a steady process, work in progress is daily throughput times cycle
-- time in days. Checked over the last 180 days, for projects that finished at least 20
-- stories. A warning, not an error: a ratio far from 1 means that the process is not
-- steady (work is started and never finished, or a backlog is cleared) or that part of
-- the history is missing.
{{ config(severity='warn') }}

with

work_in_progress as (

    select
        project_id,
        flow_date,
        sum(story_count) as story_count,
        row_number() over (partition by project_id order by flow_date desc)
            as days_ago
    from {{ ref('fct_flow_daily') }}
    where
        is_complete
        and is_in_progress
    group by
        project_id,
        flow_date

),

averages as (

    select
        project_id,
        avg(story_count) as work_in_progress,
        count(*) as day_count
    from work_in_progress
    where days_ago <= 180
    group by project_id

),

finished as (

    select
        cycle_times.project_id,
        count(*) as story_count,
        avg(cycle_times.cycle_time_seconds) / 86400 as cycle_time_days
    from {{ ref('fct_story_cycle_time') }} as cycle_times
    inner join {{ ref('int_projects') }} as projects
        on cycle_times.project_id = projects.project_id
    where
        cycle_times.is_accepted
        and not cycle_times.is_deleted
        and cycle_times.cycle_time_seconds is not null
        and {{ seconds_between('cycle_times.accepted_at', 'projects.as_of') }}
        < 180 * 86400
    group by cycle_times.project_id

),

ratios as (

    select
        averages.project_id,
        averages.work_in_progress,
        finished.story_count,
        finished.cycle_time_days,
        averages.work_in_progress * averages.day_count
        / nullif(finished.story_count * finished.cycle_time_days, 0) as little_ratio
    from averages
    inner join finished
        on averages.project_id = finished.project_id
    where finished.story_count >= 20

)

select * from ratios
where
    little_ratio < 0.5
    or little_ratio > 2
