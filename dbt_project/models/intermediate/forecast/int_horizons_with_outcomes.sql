{{ config(enabled=is_built('plans')) }}
with

horizons as (

    select * from {{ ref('int_forecast_horizons') }}

),

cuts as (

    select * from {{ ref('int_forecast_cuts') }}
    where is_backtest

),

accepted_stories as (

    select * from {{ ref('int_stories_with_accepted_weeks') }}

),

final as (

    select
        horizons.project_id,
        horizons.cut_date,
        horizons.horizon_week_count,
        count(accepted_stories.story_id) as actual_story_count
    from horizons
    inner join cuts
        on
            horizons.project_id = cuts.project_id
            and horizons.cut_date = cuts.cut_date
            and horizons.horizon_date <= cuts.last_whole_date
    left join accepted_stories
        on
            horizons.project_id = accepted_stories.project_id
            and horizons.cut_date < accepted_stories.accepted_date
            and horizons.horizon_date >= accepted_stories.accepted_date
    group by
        horizons.project_id,
        horizons.cut_date,
        horizons.horizon_week_count

)

select * from final
