{{ config(enabled=is_built('plans')) }}
with

horizons as (

    select * from {{ ref('int_forecast_horizons') }}

),

windows as (

    select * from {{ ref('int_forecast_windows') }}

),

paths as (

    select * from {{ ref('int_forecast_paths') }}

),

percentiles as (

    {% for percentile in forecast_percentiles() %}
    select {{ percentile }} as percentile
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

outcomes as (

    select
        project_id,
        cut_date,
        week_number,
        finished_story_count,
        count(*) as trial_count
    from paths
    group by
        project_id,
        cut_date,
        week_number,
        finished_story_count

),

reached as (

    select
        project_id,
        cut_date,
        week_number,
        finished_story_count,
        sum(trial_count) over (
            partition by project_id, cut_date, week_number
            order by finished_story_count desc
            rows between unbounded preceding and current row
        ) as trial_count
    from outcomes

),

-- The most stories that at least that share of all paths has finished by then.
final as (

    select
        horizons.project_id,
        horizons.cut_date,
        horizons.target_kind,
        horizons.target_id,
        horizons.horizon_week_count,
        horizons.horizon_date,
        percentiles.percentile,
        max(
            case
                when
                    reached.trial_count * 100
                    >= percentiles.percentile * windows.trial_count
                    then reached.finished_story_count
            end
        ) as forecast_story_count
    from horizons
    cross join percentiles
    inner join windows
        on
            horizons.project_id = windows.project_id
            and horizons.cut_date = windows.cut_date
    left join reached
        on
            horizons.project_id = reached.project_id
            and horizons.cut_date = reached.cut_date
            and horizons.horizon_week_count = reached.week_number
    group by
        horizons.project_id,
        horizons.cut_date,
        horizons.target_kind,
        horizons.target_id,
        horizons.horizon_week_count,
        horizons.horizon_date,
        percentiles.percentile

)

select * from final
