{{ config(enabled=is_built('plans')) }}
-- A table: two marts and their tests read it, and it is small.
{{ config(materialized='table') }}

with

windows as (

    select * from {{ ref('int_forecast_windows') }}
    where is_current or is_backtest

),

curves as (

    select * from {{ ref('int_forecast_curves') }}

),

targets as (

    select * from {{ ref('int_forecast_targets') }}

),

percentiles as (

    {% for percentile in forecast_percentiles() %}
    select {{ percentile }} as percentile
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

horizons as (

    {% for horizon in forecast_horizons() %}
    select
        project_id,
        cut_date,
        'project' as target_kind,
        project_id as target_id,
        cut_date + {{ 7 * horizon }} as horizon_date
    from windows

    union all

    {% endfor %}
    select
        project_id,
        cut_date,
        target_kind,
        target_id,
        deadline_date as horizon_date
    from targets
    where deadline_date is not null

),

horizons_in_weeks as (

    select
        *,
        {{ as_double(days_between('cut_date', 'horizon_date')) }} / 7 as week_count
    from horizons

),

-- Between two horizons a curve is straight; after the last one it continues at the mean
-- rate. The pieces do not overlap, so at most one contains a horizon.
counts as (

    select
        horizons_in_weeks.project_id,
        horizons_in_weeks.cut_date,
        horizons_in_weeks.target_kind,
        horizons_in_weeks.target_id,
        horizons_in_weeks.horizon_date,
        curves.percentile,
        cast(floor(
            case
                when horizons_in_weeks.week_count > curves.to_week
                    then
                        curves.to_story_count * horizons_in_weeks.week_count
                        / curves.to_week
                else
                    curves.from_story_count
                    + (curves.to_story_count - curves.from_story_count)
                    * (horizons_in_weeks.week_count - curves.from_week)
                    / (curves.to_week - curves.from_week)
            end
            + 0.5
        ) as bigint) as forecast_story_count
    from horizons_in_weeks
    inner join curves
        on
            horizons_in_weeks.project_id = curves.project_id
            and horizons_in_weeks.cut_date = curves.cut_date
            and horizons_in_weeks.week_count >= 1
            and horizons_in_weeks.week_count > curves.from_week
            and (horizons_in_weeks.week_count <= curves.to_week or curves.is_last)

),

-- The inverse of the curve: the first day by whose end the rounded count reaches the
-- target. The pieces do not overlap, so at most one contains it.
reached as (

    select
        targets.project_id,
        targets.cut_date,
        targets.target_kind,
        targets.target_id,
        targets.deadline_date,
        curves.percentile,
        case
            when targets.queued_story_count - 0.5 > curves.to_story_count
                then
                    7.0 * curves.to_week * (targets.queued_story_count - 0.5)
                    / nullif(curves.to_story_count, 0)
            else
                7.0 * curves.from_week
                + 7.0 * (curves.to_week - curves.from_week)
                * (targets.queued_story_count - 0.5 - curves.from_story_count)
                / nullif(curves.to_story_count - curves.from_story_count, 0)
        end as days_needed
    from targets
    inner join curves
        on
            targets.project_id = curves.project_id
            and targets.cut_date = curves.cut_date
            and targets.queue_gap_reason is null
            and targets.queued_story_count - 0.5 > curves.from_story_count
            and (
                targets.queued_story_count - 0.5 <= curves.to_story_count
                or curves.is_last
            )

),

-- Limited to nine decimal places, so that a double of 14.000000000000002 gives 14 days.
dates as (

    select
        project_id,
        cut_date,
        target_kind,
        target_id,
        deadline_date,
        percentile,
        greatest(cast(ceil(
            cast(days_needed as {{ engine_type('decimal(28, 9)') }})
        ) as bigint), 1) as forecast_day_count
    from reached
    where days_needed <= {{ 7 * var('forecast_horizon_weeks') }}

),

-- The probability of the deadline: the highest percentile, in steps of five, whose date
-- is not after it.
in_time as (

    select
        project_id,
        cut_date,
        target_kind,
        target_id,
        max(percentile) as percentile
    from dates
    where forecast_day_count <= {{ days_between('cut_date', 'deadline_date') }}
    group by
        project_id,
        cut_date,
        target_kind,
        target_id

),

unioned as (

    select
        targets.project_id,
        targets.cut_date,
        targets.target_kind,
        targets.target_id,
        'when' as question,
        percentiles.percentile,
        dates.forecast_day_count,
        cast(null as bigint) as forecast_story_count,
        case
            when targets.deadline_date is not null and targets.queue_gap_reason is null
                then {{ as_double('coalesce(in_time.percentile, 0)') }} / 100
        end as in_time_share,
        cast(null as date) as horizon_date
    from targets
    cross join percentiles
    left join dates
        on
            targets.project_id = dates.project_id
            and targets.cut_date = dates.cut_date
            and targets.target_kind = dates.target_kind
            and targets.target_id = dates.target_id
            and percentiles.percentile = dates.percentile
    left join in_time
        on
            targets.project_id = in_time.project_id
            and targets.cut_date = in_time.cut_date
            and targets.target_kind = in_time.target_kind
            and targets.target_id = in_time.target_id

    union all

    select
        horizons.project_id,
        horizons.cut_date,
        horizons.target_kind,
        horizons.target_id,
        'how_many' as question,
        percentiles.percentile,
        cast(null as bigint) as forecast_day_count,
        counts.forecast_story_count,
        {{ as_double('null') }} as in_time_share,
        horizons.horizon_date
    from horizons
    cross join percentiles
    left join counts
        on
            horizons.project_id = counts.project_id
            and horizons.cut_date = counts.cut_date
            and horizons.target_kind = counts.target_kind
            and horizons.target_id = counts.target_id
            and horizons.horizon_date = counts.horizon_date
            and percentiles.percentile = counts.percentile

),

with_windows as (

    select
        unioned.*,
        windows.gap_reason as window_gap_reason,
        cast(floor(
            {{ days_between('unioned.cut_date', 'unioned.horizon_date') }} / 7.0
        ) as bigint) as horizon_week_count,
        windows.sampled_week_count,
        windows.sampled_story_count,
        windows.baseline_mean,
        windows.baseline_variance,
        windows.is_backtest,
        windows.last_whole_date,
        windows.window_from_date,
        windows.window_to_date
    from unioned
    inner join windows
        on
            unioned.project_id = windows.project_id
            and unioned.cut_date = windows.cut_date

),

final as (

    select
        with_windows.project_id,
        with_windows.cut_date,
        with_windows.target_kind,
        with_windows.target_id,
        with_windows.question,
        with_windows.percentile,
        case
            when with_windows.window_gap_reason is not null
                then with_windows.window_gap_reason
            when
                with_windows.question = 'when' and targets.queue_gap_reason is not null
                then targets.queue_gap_reason
            when with_windows.horizon_week_count < 1 then 'no week left'
            when
                with_windows.forecast_day_count is null
                and with_windows.forecast_story_count is null
                then 'beyond the horizon'
        end as gap_reason,
        with_windows.sampled_week_count,
        with_windows.sampled_story_count,
        targets.remaining_story_count,
        targets.queued_story_count,
        targets.queued_points,
        with_windows.horizon_week_count,
        with_windows.forecast_day_count,
        with_windows.forecast_story_count,
        case
            when with_windows.window_gap_reason is null then with_windows.in_time_share
        end as in_time_share,
        with_windows.baseline_mean,
        with_windows.baseline_variance,
        with_windows.is_backtest,
        with_windows.last_whole_date,
        with_windows.window_from_date,
        with_windows.window_to_date,
        with_windows.horizon_date,
        {{ days_later('with_windows.cut_date', 'with_windows.forecast_day_count') }}
            as forecast_date
    from with_windows
    left join targets
        on
            with_windows.project_id = targets.project_id
            and with_windows.cut_date = targets.cut_date
            and with_windows.target_kind = targets.target_kind
            and with_windows.target_id = targets.target_id

)

select * from final
