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
            when windows.sampled_week_count >= {{ full_window_weeks() }} then 2 else 1
        end as weight,
        actual_counts.horizon_week_count * windows.steady_mean as steady_expected,
        actual_counts.horizon_week_count * (windows.recent_mean - windows.steady_mean)
            as recent_excess,
        windows.in_progress_excess,
        windows.backlog_excess,
        actual_counts.actual_story_count
        - actual_counts.horizon_week_count * windows.steady_mean as missed_excess,
        actual_counts.decided_date
    from actual_counts
    inner join windows
        on
            actual_counts.project_id = windows.project_id
            and actual_counts.cut_date = windows.cut_date

),

-- In whole millionths, which all engines sum alike.
final as (

    select
        project_id,
        horizon_week_count,
        actual_story_count,
        weight,
        steady_expected,
        recent_excess,
        in_progress_excess,
        backlog_excess,
        {% for one, other in effect_products() %}
        {{ millionths(
            one ~ '_excess * ' ~ other ~ '_excess / (steady_expected + 1)'
        ) }} as {{ one }}_x_{{ other }},
        {% endfor %}
        decided_date
    from with_expected

)

select * from final
