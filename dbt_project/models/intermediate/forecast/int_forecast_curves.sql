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
        {% for pace in half_lives() %}
        errors.{{ pace }}_expected,
        errors.{{ pace }}_in_progress_product,
        errors.{{ pace }}_backlog_product,
        {% endfor %}
        errors.in_progress_excess,
        errors.backlog_excess,
        errors.in_progress_square,
        errors.backlog_square,
        errors.mixed_product
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

-- The penalties: with few errors, the effects are near zero. Errors of long horizons
-- overlap, so there must be more of them.
sums as (

    select
        project_id,
        cut_date,
        horizon_week_count,
        {{ as_double('sum(weight * in_progress_square)') }}
        + {{ as_double('1000000 * horizon_week_count') }} as in_progress_square,
        {{ as_double('sum(weight * backlog_square)') }}
        + {{ as_double('8000000 * horizon_week_count') }} as backlog_square,
        {% for pace in half_lives() %}
        {{ as_double('sum(weight * ' ~ pace ~ '_in_progress_product)') }}
            as {{ pace }}_in_progress_product,
        {{ as_double('sum(weight * ' ~ pace ~ '_backlog_product)') }}
            as {{ pace }}_backlog_product,
        {% endfor %}
        {{ as_double('sum(weight * mixed_product)') }} as mixed_product
    from known_errors
    group by
        project_id,
        cut_date,
        horizon_week_count

),

with_determinants as (

    select
        *,
        in_progress_square * backlog_square - mixed_product * mixed_product
            as determinant
    from sums

),

-- By how many stories one more in progress, or one more in the backlog, raised the
-- count: the least squares, by Cramer's rule.
effects as (

    select
        project_id,
        cut_date,
        horizon_week_count,
        {% for pace in half_lives() %}
        (
            {{ pace }}_in_progress_product * backlog_square
            - {{ pace }}_backlog_product * mixed_product
        ) / determinant as {{ pace }}_in_progress_effect,
        (
            {{ pace }}_backlog_product * in_progress_square
            - {{ pace }}_in_progress_product * mixed_product
        ) / determinant as {{ pace }}_backlog_effect,
        {% endfor %}
        determinant
    from with_determinants

),

-- What would have been expected with these effects.
adjusted_errors as (

    select
        known_errors.project_id,
        known_errors.cut_date,
        known_errors.horizon_week_count,
        known_errors.actual_story_count,
        known_errors.weight,
        {% for pace in half_lives() %}
        {{ with_effects(
            'known_errors.' ~ pace ~ '_expected', 'known_errors', 'effects.' ~ pace
        ) }} as {{ pace }}_expected,
        {% endfor %}
        known_errors.steady_expected + 1 as scale
    from known_errors
    inner join effects
        on
            known_errors.project_id = effects.project_id
            and known_errors.cut_date = effects.cut_date
            and known_errors.horizon_week_count = effects.horizon_week_count

),

misses as (

    select
        project_id,
        cut_date,
        horizon_week_count,
        sum(weight * {{ millionths(
            'abs(actual_story_count - steady_expected) / scale'
        ) }}) as steady_miss,
        sum(weight * {{ millionths(
            'abs(actual_story_count - recent_expected) / scale'
        ) }}) as recent_miss
    from adjusted_errors
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
        {% for measure in ['variance', 'week_count'] %}
        case
            when misses.recent_miss < misses.steady_miss
                then windows.recent_{{ measure }}
            else windows.steady_{{ measure }}
        end as pace_{{ measure }},
        {% endfor %}
        case
            when misses.recent_miss < misses.steady_miss
                then {{ with_effects(
                    'horizons.horizon_week_count * windows.recent_mean', 'windows',
                    'effects.recent'
                ) }}
            else {{ with_effects(
                'horizons.horizon_week_count * windows.steady_mean', 'windows',
                'effects.steady'
            ) }}
        end as expected,
        coalesce(misses.recent_miss < misses.steady_miss, false) as is_recent
    from windows
    cross join horizons
    left join effects
        on
            windows.project_id = effects.project_id
            and windows.cut_date = effects.cut_date
            and horizons.horizon_week_count = effects.horizon_week_count
    left join misses
        on
            windows.project_id = misses.project_id
            and windows.cut_date = misses.cut_date
            and horizons.horizon_week_count = misses.horizon_week_count

),

-- One is added on both sides, so that a ratio exists where nothing was accepted. Until
-- enough errors are known, ten normally distributed ones are added: those of
-- independent weeks with the window's variance, around an uncertain mean. The known
-- ratios of long horizons overlap more, so the added ones have more weight there.
ratios as (

    select
        paces.project_id,
        paces.cut_date,
        paces.horizon_week_count,
        errors.weight,
        (errors.actual_story_count + 1) / (
            case
                when paces.is_recent then errors.recent_expected
                else errors.steady_expected
            end + 1
        ) as ratio
    from paces
    inner join adjusted_errors as errors
        on
            paces.project_id = errors.project_id
            and paces.cut_date = errors.cut_date
            and paces.horizon_week_count = errors.horizon_week_count

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
        ) / (paces.expected + 1) as ratio
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
        paces.expected,
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
        paces.expected,
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
            greatest(ratio * (expected + 1) - 1, 0)
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
