{{ config(enabled=is_built('plans')) }}
-- A table: every target and every horizon reads its project's curves.
{{ config(materialized='table') }}

with

windows as (

    select * from {{ ref('int_forecast_windows') }}
    where
        gap_reason is null
        and (is_current or is_backtest)

),

errors as (

    select * from {{ ref('int_forecast_errors') }}

),

horizons as (

    {% for horizon in error_horizons() %}
    select cast({{ horizon }} as bigint) as horizon_week_count
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- The current forecast has steps of five, to give the probability of a deadline; past
-- forecasts need only the published percentiles.
percentiles as (

    {% for percentile in range(5, 100, 5) %}
    select
        {{ percentile }} as percentile,
        {{ (percentile in forecast_percentiles()) | lower }} as is_published
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

normal_values as (

    {% for value in normal_values() %}
    select {{ as_double(value) }} as deviation
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- Only what was decided by the cut. A project's own errors count twice.
known_errors as (

    select
        windows.project_id,
        windows.cut_date,
        errors.horizon_week_count,
        case when windows.project_id = errors.project_id then 2 else 1 end as weight,
        errors.steady_ratio,
        errors.recent_ratio,
        errors.steady_miss,
        errors.recent_miss
    from windows
    inner join errors
        on
            windows.cut_date >= errors.decided_date
            and {{ days_between('errors.decided_date', 'windows.cut_date') }}
            <= {{ 7 * var('forecast_backtest_weeks') }}

),

misses as (

    select
        project_id,
        cut_date,
        horizon_week_count,
        sum(weight * recent_miss) < sum(weight * steady_miss) as is_recent
    from known_errors
    group by
        project_id,
        cut_date,
        horizon_week_count

),

-- The mean with the smaller errors so far.
paces as (

    select
        windows.project_id,
        windows.cut_date,
        windows.is_current,
        horizons.horizon_week_count,
        {% for measure in ['mean', 'variance', 'week_count'] %}
        case
            when misses.is_recent then windows.recent_{{ measure }}
            else windows.steady_{{ measure }}
        end as pace_{{ measure }},
        {% endfor %}
        coalesce(misses.is_recent, false) as is_recent
    from windows
    cross join horizons
    left join misses
        on
            windows.project_id = misses.project_id
            and windows.cut_date = misses.cut_date
            and horizons.horizon_week_count = misses.horizon_week_count

),

-- Until enough errors are known, ten normally distributed ones are added: those of
-- independent weeks with the window's variance, around an uncertain mean. The known
-- ratios of long horizons overlap more, so the added ones have more weight there.
ratios as (

    select
        paces.project_id,
        paces.cut_date,
        paces.horizon_week_count,
        5 * known_errors.weight as weight,
        case
            when paces.is_recent then known_errors.recent_ratio
            else known_errors.steady_ratio
        end as ratio
    from paces
    inner join known_errors
        on
            paces.project_id = known_errors.project_id
            and paces.cut_date = known_errors.cut_date
            and paces.horizon_week_count = known_errors.horizon_week_count

    union all

    select
        paces.project_id,
        paces.cut_date,
        paces.horizon_week_count,
        2 * paces.horizon_week_count as weight,
        1 + normal_values.deviation * sqrt(
            paces.horizon_week_count * paces.pace_variance
            * (1 + paces.horizon_week_count / nullif(paces.pace_week_count, 0))
            + 0.25
        ) / (paces.horizon_week_count * paces.pace_mean + 1) as ratio
    from paces
    cross join normal_values

),

with_weights as (

    select
        *,
        sum(weight) over (
            partition by project_id, cut_date, horizon_week_count
            order by ratio
        ) as weight_so_far,
        sum(weight) over (
            partition by project_id, cut_date, horizon_week_count
        ) as total_weight
    from ratios

),

-- The percentage of the weight at this ratio or above it.
quantiles as (

    select
        paces.project_id,
        paces.cut_date,
        paces.horizon_week_count,
        paces.pace_mean,
        percentiles.percentile,
        min(with_weights.ratio) as ratio
    from paces
    inner join with_weights
        on
            paces.project_id = with_weights.project_id
            and paces.cut_date = with_weights.cut_date
            and paces.horizon_week_count = with_weights.horizon_week_count
    inner join percentiles
        on
            (paces.is_current or percentiles.is_published)
            and with_weights.weight_so_far * 100
            >= (100 - percentiles.percentile) * with_weights.total_weight
    group by
        paces.project_id,
        paces.cut_date,
        paces.horizon_week_count,
        paces.pace_mean,
        percentiles.percentile

),

-- A longer horizon never has fewer stories.
counts as (

    select
        project_id,
        cut_date,
        percentile,
        horizon_week_count,
        max(
            greatest(ratio * (horizon_week_count * pace_mean + 1) - 1, 0)
        ) over (
            partition by project_id, cut_date, percentile
            order by horizon_week_count
            rows between unbounded preceding and current row
        ) as story_count
    from quantiles

),

final as (

    select
        project_id,
        cut_date,
        percentile,
        lag(horizon_week_count, 1, cast(0 as bigint)) over (
            partition by project_id, cut_date, percentile
            order by horizon_week_count
        ) as from_week,
        horizon_week_count as to_week,
        lag(story_count, 1, {{ as_double('0') }}) over (
            partition by project_id, cut_date, percentile
            order by horizon_week_count
        ) as from_story_count,
        story_count as to_story_count,
        horizon_week_count = {{ error_horizons() | max }} as is_last
    from counts

)

select * from final
