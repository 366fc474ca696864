-- The surer, the later or the fewer; drawn only from weeks before the cut; and what is
-- drawn from now is what throughput says.
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
        lag(forecast_week_count) over (
            partition by
                project_id, cut_date, target_kind, target_id, question, horizon_date
            order by percentile
        ) as previous_week_count,
        lag(forecast_story_count) over (
            partition by
                project_id, cut_date, target_kind, target_id, question, horizon_date
            order by percentile
        ) as previous_story_count
    from forecasts

),

throughput as (

    select
        project_id,
        week_start_date,
        sum(story_count) as story_count
    from {{ ref('fct_throughput') }}
    group by
        project_id,
        week_start_date

),

cuts as (

    select * from {{ ref('int_forecast_cuts') }}
    where not is_backtest

),

weeks as (

    select * from {{ ref('int_forecast_weeks') }}

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
    forecast_week_count < previous_week_count
    or forecast_story_count > previous_story_count
    or (
        question = 'when'
        and previous_percentile is not null
        and previous_week_count is null
        and forecast_week_count is not null
    )
    or window_to_date > cut_date

union all

select
    'week' as violation,
    weeks.project_id,
    weeks.cut_date
from weeks
inner join cuts
    on
        weeks.project_id = cuts.project_id
        and weeks.cut_date = cuts.cut_date
left join throughput
    on
        weeks.project_id = throughput.project_id
        and weeks.week_start_date = throughput.week_start_date
left join contradicted_projects
    on weeks.project_id = contradicted_projects.project_id
where
    contradicted_projects.project_id is null
    and {{ differ('weeks.story_count', 'throughput.story_count') }}
