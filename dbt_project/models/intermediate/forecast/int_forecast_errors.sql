{{ config(enabled=is_built('plans')) }}
-- A table: each curve reads the errors of all projects.
{{ config(materialized='table') }}

with

windows as (

    select * from {{ ref('int_forecast_windows') }}
    where
        gap_reason is null
        and not is_current

),

acceptances as (

    select * from {{ ref('int_stories_outside_backlog') }}
    where story_state = 'accepted'

),

horizons as (

    {% for horizon in error_horizons() %}
    select cast({{ horizon }} as bigint) as horizon_week_count
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

decided as (

    select
        windows.project_id,
        windows.cut_date,
        windows.steady_mean,
        windows.recent_mean,
        horizons.horizon_week_count,
        {{ days_later('windows.cut_date', '7 * horizons.horizon_week_count') }}
            as decided_date
    from windows
    inner join horizons
        on
            {{ days_later('windows.cut_date', '7 * horizons.horizon_week_count') }}
            <= windows.last_whole_date

),

-- As known at the end of the horizon's last day.
with_actual_counts as (

    select
        decided.project_id,
        decided.cut_date,
        decided.steady_mean,
        decided.recent_mean,
        decided.horizon_week_count,
        decided.decided_date,
        count(acceptances.story_id) as actual_story_count
    from decided
    left join acceptances
        on
            decided.project_id = acceptances.project_id
            and decided.cut_date < acceptances.entered_date
            and decided.decided_date >= acceptances.entered_date
            and (
                acceptances.left_date is null
                or decided.decided_date < acceptances.left_date
            )
    group by
        decided.project_id,
        decided.cut_date,
        decided.steady_mean,
        decided.recent_mean,
        decided.horizon_week_count,
        decided.decided_date

),

-- One is added on both sides, so that a ratio exists where nothing was accepted. Misses
-- are millionths of the expected count: whole numbers, which all engines sum alike.
final as (

    select
        project_id,
        horizon_week_count,
        actual_story_count,
        {% for pace in half_lives() %}
        (actual_story_count + 1) / (horizon_week_count * {{ pace }}_mean + 1)
            as {{ pace }}_ratio,
        cast(round(
            1000000 * abs(actual_story_count - horizon_week_count * {{ pace }}_mean)
            / (horizon_week_count * steady_mean + 1)
        ) as bigint) as {{ pace }}_miss,
        {% endfor %}
        decided_date
    from with_actual_counts

)

select * from final
