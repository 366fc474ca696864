-- A higher percentile gives a later date or a smaller count, windows end before the
-- cut, and the current window has as many stories as throughput.
with

forecasts as (

    select * from {{ ref('int_forecasts') }}

),

with_less_sure as (

    select
        *,
        lag(percentile) over (
            partition by
                project_id, cut_date, target_kind, target_id, question, horizon_date
            order by percentile
        ) as previous_percentile,
        lag(forecast_day_count) over (
            partition by
                project_id, cut_date, target_kind, target_id, question, horizon_date
            order by percentile
        ) as previous_day_count,
        lag(forecast_story_count) over (
            partition by
                project_id, cut_date, target_kind, target_id, question, horizon_date
            order by percentile
        ) as previous_story_count
    from forecasts

),

windows as (

    select * from {{ ref('int_forecast_windows') }}
    where is_current

),

throughput as (

    select
        windows.project_id,
        coalesce(sum(throughput.story_count), 0) as story_count
    from windows
    left join {{ ref('fct_throughput') }} as throughput
        on
            windows.project_id = throughput.project_id
            and throughput.week_start_date
            between windows.window_from_date and windows.window_to_date
    group by windows.project_id

),

contradicted_projects as (

    {{ contradicted_projects() }}

)

select
    'forecast' as violation,
    project_id,
    cut_date
from with_less_sure
where
    forecast_day_count < previous_day_count
    or forecast_story_count > previous_story_count
    or (
        question = 'when'
        and previous_percentile is not null
        and previous_day_count is null
        and forecast_day_count is not null
    )
    or window_to_date > cut_date

union all

select
    'window' as violation,
    windows.project_id,
    windows.cut_date
from windows
inner join throughput
    on windows.project_id = throughput.project_id
left join contradicted_projects
    on windows.project_id = contradicted_projects.project_id
where
    contradicted_projects.project_id is null
    and {{ differ('windows.sampled_story_count', 'throughput.story_count') }}
