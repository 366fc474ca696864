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

-- Only what was decided by the cut, in all projects. In another time zone, the cut's
-- day may end later.
known_errors as (

    select
        windows.project_id,
        windows.cut_date,
        errors.horizon_week_count,
        errors.actual_story_count,
        errors.weight,
        errors.steady_expected,
        errors.recent_excess,
        errors.in_progress_excess,
        {% for one, other in effect_products() %}
        errors.{{ one }}_x_{{ other }},
        {% endfor %}
        errors.backlog_excess
    from windows
    inner join errors
        on
            (
                windows.cut_date > errors.decided_date
                or (
                    windows.cut_date = errors.decided_date
                    and windows.project_id = errors.project_id
                )
            )
            and {{ days_between('errors.decided_date', 'windows.cut_date') }}
            <= {{ 7 * var('forecast_backtest_weeks') }}

),

sums as (

    select
        project_id,
        cut_date,
        {% for one, other in effect_products() %}
        {{ as_double('sum(weight * ' ~ one ~ '_x_' ~ other ~ ')') }}
            as {{ one }}_x_{{ other }},
        {% endfor %}
        horizon_week_count
    from known_errors
    group by
        project_id,
        cut_date,
        horizon_week_count

),

-- How much of the difference between the recent and the steady pace lasted. Penalties
-- keep it and the effects near zero while there are few errors. Errors of long horizons
-- overlap, so there must be more of them.
shares as (

    select
        project_id,
        cut_date,
        horizon_week_count,
        greatest(least(
            recent_x_missed / (recent_x_recent + 8000000 * horizon_week_count), 1
        ), 0) as recent_share,
        in_progress_x_in_progress + 1000000 * horizon_week_count as in_progress_square,
        backlog_x_backlog + 8000000 * horizon_week_count as backlog_square,
        in_progress_x_missed,
        in_progress_x_recent,
        backlog_x_missed,
        backlog_x_recent,
        in_progress_x_backlog
    from sums

),

-- What was missed in spite of this share.
missed as (

    select
        *,
        in_progress_x_missed - recent_share * in_progress_x_recent
            as in_progress_product,
        backlog_x_missed - recent_share * backlog_x_recent as backlog_product,
        in_progress_square * backlog_square
        - in_progress_x_backlog * in_progress_x_backlog as determinant
    from shares

),

-- By how many stories one more in progress, or one more in the backlog, raised the
-- count: the least squares, by Cramer's rule.
effects as (

    select
        project_id,
        cut_date,
        horizon_week_count,
        recent_share,
        (
            in_progress_product * backlog_square
            - backlog_product * in_progress_x_backlog
        ) / determinant as in_progress_effect,
        (
            backlog_product * in_progress_square
            - in_progress_product * in_progress_x_backlog
        ) / determinant as backlog_effect
    from missed

),

horizon_windows as (

    select
        windows.project_id,
        windows.cut_date,
        windows.is_current,
        horizons.horizon_week_count,
        horizons.horizon_week_count * windows.steady_mean as steady_expected,
        horizons.horizon_week_count * (windows.recent_mean - windows.steady_mean)
            as recent_excess,
        windows.in_progress_excess,
        windows.backlog_excess,
        sqrt(
            horizons.horizon_week_count * windows.steady_variance
            * (1 + horizons.horizon_week_count / nullif(windows.steady_week_count, 0))
            + 0.25
        ) as spread
    from windows
    cross join horizons

),

expectations as (

    select
        horizon_windows.project_id,
        horizon_windows.cut_date,
        horizon_windows.is_current,
        horizon_windows.horizon_week_count,
        horizon_windows.spread,
        {{ with_effects('horizon_windows', 'effects') }} + 1 as expected_plus_one
    from horizon_windows
    left join effects
        on
            horizon_windows.project_id = effects.project_id
            and horizon_windows.cut_date = effects.cut_date
            and horizon_windows.horizon_week_count = effects.horizon_week_count

),

-- What would have been expected with these effects.
past_expectations as (

    select
        known_errors.project_id,
        known_errors.cut_date,
        known_errors.horizon_week_count,
        known_errors.actual_story_count,
        known_errors.weight,
        {{ with_effects('known_errors', 'effects') }} + 1 as expected_plus_one
    from known_errors
    inner join effects
        on
            known_errors.project_id = effects.project_id
            and known_errors.cut_date = effects.cut_date
            and known_errors.horizon_week_count = effects.horizon_week_count

),

-- One is added on both sides, so that a ratio exists where nothing was accepted. An
-- error counts less if another number was expected: half if twice as many or half as
-- many. Until enough errors are known, ten normally distributed ones are added: those
-- of independent weeks with the window's variance, around an uncertain mean. The known
-- ratios of long horizons overlap more, so the added ones have more weight there.
ratios as (

    select
        expectations.project_id,
        expectations.cut_date,
        expectations.horizon_week_count,
        -- A whole number of thousandths, which every engine sums up the same.
        cast(round(
            1000 * errors.weight * least(
                errors.expected_plus_one / expectations.expected_plus_one,
                expectations.expected_plus_one / errors.expected_plus_one
            )
        ) as bigint) as weight,
        (errors.actual_story_count + 1) / errors.expected_plus_one as ratio
    from expectations
    inner join past_expectations as errors
        on
            expectations.project_id = errors.project_id
            and expectations.cut_date = errors.cut_date
            and expectations.horizon_week_count = errors.horizon_week_count

    union all

    select
        expectations.project_id,
        expectations.cut_date,
        expectations.horizon_week_count,
        1500 * expectations.horizon_week_count as weight,
        1 + normal_values.deviation * expectations.spread
        / expectations.expected_plus_one as ratio
    from expectations
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
        expectations.project_id,
        expectations.cut_date,
        expectations.horizon_week_count,
        expectations.expected_plus_one,
        percentiles.percentile,
        min(with_weights.ratio) as ratio
    from expectations
    inner join with_weights
        on
            expectations.project_id = with_weights.project_id
            and expectations.cut_date = with_weights.cut_date
            and expectations.horizon_week_count = with_weights.horizon_week_count
    inner join percentiles
        on
            (expectations.is_current or percentiles.is_published)
            and with_weights.weight_so_far * 100
            >= (100 - percentiles.percentile) * with_weights.total_weight
    group by
        expectations.project_id,
        expectations.cut_date,
        expectations.horizon_week_count,
        expectations.expected_plus_one,
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
            greatest(ratio * expected_plus_one - 1, 0)
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
