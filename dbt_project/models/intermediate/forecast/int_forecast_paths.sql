{{ config(enabled=is_built('plans')) }}
-- A table: each target and each horizon reads all paths of its project.
{{ config(materialized='table') }}

with

drawn as (

    select * from {{ ref('int_forecast_draws') }}

),

weeks as (

    select * from {{ ref('int_forecast_weeks') }}

),

with_story_counts as (

    select
        drawn.project_id,
        drawn.cut_date,
        drawn.trial_number,
        drawn.week_number,
        weeks.story_count
    from drawn
    inner join weeks
        on
            drawn.project_id = weeks.project_id
            and drawn.cut_date = weeks.cut_date
            and drawn.weeks_back = weeks.weeks_back

),

final as (

    select
        project_id,
        cut_date,
        trial_number,
        week_number,
        story_count,
        cast(sum(story_count) over (
            partition by project_id, cut_date, trial_number
            order by week_number
            rows between unbounded preceding and current row
        ) as bigint) as finished_story_count
    from with_story_counts

)

select * from final
