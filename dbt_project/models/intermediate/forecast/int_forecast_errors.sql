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
actual_counts as (

    select
        decided.project_id,
        decided.cut_date,
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
        decided.horizon_week_count,
        decided.decided_date

),

-- A project's first windows are short, and their errors larger than later ones.
with_expected as (

    select
        actual_counts.project_id,
        actual_counts.horizon_week_count,
        actual_counts.actual_story_count,
        case
            when windows.sampled_week_count >= {{ baseline_weeks() }} then 2 else 1
        end as weight,
        {% for pace in half_lives() %}
        actual_counts.horizon_week_count * windows.{{ pace }}_mean
            as {{ pace }}_expected,
        {% endfor %}
        windows.in_progress_excess,
        windows.backlog_excess,
        actual_counts.decided_date
    from actual_counts
    inner join windows
        on
            actual_counts.project_id = windows.project_id
            and actual_counts.cut_date = windows.cut_date

),

-- The terms of a regression of what was missed on both excesses, in whole millionths,
-- which all engines sum alike.
final as (

    select
        project_id,
        horizon_week_count,
        actual_story_count,
        weight,
        {% for pace in half_lives() %}
        {{ pace }}_expected,
        {{ millionths(
            'in_progress_excess * (actual_story_count - ' ~ pace ~ '_expected)'
            ' / (steady_expected + 1)'
        ) }} as {{ pace }}_in_progress_product,
        {{ millionths(
            'backlog_excess * (actual_story_count - ' ~ pace ~ '_expected)'
            ' / (steady_expected + 1)'
        ) }} as {{ pace }}_backlog_product,
        {% endfor %}
        in_progress_excess,
        backlog_excess,
        {{ millionths(
            'in_progress_excess * in_progress_excess / (steady_expected + 1)'
        ) }} as in_progress_square,
        {{ millionths('backlog_excess * backlog_excess / (steady_expected + 1)') }}
            as backlog_square,
        {{ millionths('in_progress_excess * backlog_excess / (steady_expected + 1)') }}
            as mixed_product,
        decided_date
    from with_expected

)

select * from final
