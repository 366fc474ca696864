{{ config(enabled=is_built('plans')) }}
with

backtests as (

    select * from {{ ref('fct_forecast_backtest') }}

),

with_values as (

    select
        *,
        coalesce(forecast_story_count, forecast_day_count) as forecast_value
    from backtests

),

-- From p50 to p95 of one cut: stories, or days.
widths as (

    select
        project_id,
        cut_date,
        question,
        coalesce(horizon_week_count, 0) as horizon_week_count,
        abs(
            max(case when percentile = 95 then forecast_value end)
            - max(case when percentile = 50 then forecast_value end)
        ) as interval_width
    from with_values
    group by
        project_id,
        cut_date,
        question,
        coalesce(horizon_week_count, 0)

),

grouped as (

    select
        backtests.project_id,
        backtests.question,
        backtests.percentile,
        widths.horizon_week_count,
        count(*) as forecast_count,
        count(case when backtests.is_decided then 1 end) as decided_count,
        count(case when backtests.is_held then 1 end) as held_count,
        count(backtests.forecast_loss) as scored_count,
        count(backtests.tracker_loss) as tracker_scored_count,
        -- Hundredths are whole numbers: they add up to the same in any order.
        {{ as_double('sum(cast(round(100 * backtests.forecast_loss) as bigint))') }}
            as forecast_losses,
        {{ as_double('sum(cast(round(100 * backtests.bootstrap_loss) as bigint))') }}
            as bootstrap_losses,
        {{ as_double('sum(cast(round(100 * backtests.tracker_loss) as bigint))') }}
            as tracker_losses,
        {{ as_double(
            'sum(case when backtests.tracker_loss is not null '
            ~ 'then cast(round(100 * backtests.forecast_loss) as bigint) end)'
        ) }} as losses_beside_tracker,
        {{ as_double('sum(widths.interval_width)') }}
        / nullif(count(widths.interval_width), 0) as mean_interval_width,
        min(case when backtests.is_decided then backtests.cut_date end)
            as first_cut_date,
        max(case when backtests.is_decided then backtests.cut_date end)
            as last_cut_date
    from backtests
    inner join widths
        on
            backtests.project_id = widths.project_id
            and backtests.cut_date = widths.cut_date
            and backtests.question = widths.question
            and coalesce(backtests.horizon_week_count, 0) = widths.horizon_week_count
    group by
        backtests.project_id,
        backtests.question,
        backtests.percentile,
        widths.horizon_week_count

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
        scored_count,
        tracker_scored_count,
        {{ as_double('held_count') }} / nullif(decided_count, 0) as held_share,
        forecast_losses / 100 / nullif(scored_count, 0) as mean_pinball_loss,
        bootstrap_losses / 100 / nullif(scored_count, 0) as bootstrap_pinball_loss,
        tracker_losses / 100 / nullif(tracker_scored_count, 0) as tracker_pinball_loss,
        1 - forecast_losses / nullif(bootstrap_losses, 0) as skill_over_bootstrap,
        1 - losses_beside_tracker / nullif(tracker_losses, 0) as skill_over_tracker,
        mean_interval_width,
        first_cut_date,
        last_cut_date
    from grouped

)

select * from final
