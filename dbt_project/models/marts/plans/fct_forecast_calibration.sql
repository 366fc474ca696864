{{ config(enabled=is_built('plans')) }}
with

backtests as (

    select * from {{ ref('fct_forecast_backtest') }}

),

grouped as (

    select
        project_id,
        question,
        percentile,
        coalesce(horizon_week_count, 0) as horizon_week_count,
        count(*) as forecast_count,
        count(case when is_decided then 1 end) as decided_count,
        count(case when is_held then 1 end) as held_count,
        min(case when is_decided then cut_date end) as first_cut_date,
        max(case when is_decided then cut_date end) as last_cut_date
    from backtests
    group by
        project_id,
        question,
        percentile,
        coalesce(horizon_week_count, 0)

),

final as (

    select
        {{ as_text('project_id') }} || '-' || question
        || '-p' || {{ as_text('percentile') }}
        || case
            when question = 'how_many'
                then '-' || {{ as_text('horizon_week_count') }} || 'w'
            else ''
        end as calibration_key,
        project_id,
        question,
        percentile,
        nullif(horizon_week_count, 0) as horizon_week_count,
        forecast_count,
        decided_count,
        held_count,
        {{ as_double('held_count') }} / nullif(decided_count, 0) as held_share,
        first_cut_date,
        last_cut_date
    from grouped

)

select * from final
