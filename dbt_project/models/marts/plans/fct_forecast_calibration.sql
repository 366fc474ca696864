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
        count(*) filter (where is_decided) as decided_count,
        count(*) filter (where is_held) as held_count,
        min(cut_date) filter (where is_decided) as first_cut_date,
        max(cut_date) filter (where is_decided) as last_cut_date
    from backtests
    group by
        project_id,
        question,
        percentile,
        coalesce(horizon_week_count, 0)

),

final as (

    select
        concat(
            project_id, '-', question, '-p', percentile,
            case
                when question = 'how_many' then concat('-', horizon_week_count, 'w')
                else ''
            end
        ) as calibration_key,
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
