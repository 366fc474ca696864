{{ config(enabled=is_built('flow')) }}
{#-
    The constants of an XmR chart, for moving ranges of two points: Shewhart (1931), Wheeler,
    Understanding Variation (1993).
-#}
{%- set limit_factor = 2.66 -%}
{%- set range_limit_factor = 3.268 -%}
{%- set baseline_points = 26 -%}
{%- set fewest_baseline_points = 8 -%}

with

weeks as (

    select
        project_id,
        week_start_date,
        {{ days_later('week_start_date', 6) }} as last_date,
        sum(story_count) as accepted_story_count
    from {{ ref('fct_throughput') }}
    where is_complete
    group by
        project_id,
        week_start_date

),

accepted_stories as (

    select * from {{ ref('fct_story_cycle_time') }}
    where
        is_accepted
        and not is_deleted

),

-- Without any history it is not known what was in progress.
daily_flow as (

    select * from {{ ref('fct_flow_daily') }}
    where
        is_in_progress
        and aged_story_count is not null

),

-- Whole numbers only, so that every engine adds up exactly the same.
points as (

    select
        project_id,
        'throughput' as measure,
        {{ as_double('accepted_story_count') }} as measured_value,
        week_start_date
    from weeks

    union all

    select
        weeks.project_id,
        'work_in_progress' as measure,
        {{ as_double('sum(daily_flow.story_count)') }} as measured_value,
        weeks.week_start_date
    from weeks
    inner join daily_flow
        on
            weeks.project_id = daily_flow.project_id
            and weeks.last_date = daily_flow.flow_date
    group by
        weeks.project_id,
        weeks.week_start_date

    union all

    select
        weeks.project_id,
        'cycle_time' as measure,
        floor(avg({{ as_double('accepted_stories.cycle_time_seconds') }}))
            as measured_value,
        weeks.week_start_date
    from weeks
    inner join accepted_stories
        on
            weeks.project_id = accepted_stories.project_id
            and weeks.week_start_date <= accepted_stories.accepted_date
            and weeks.last_date >= accepted_stories.accepted_date
    where accepted_stories.cycle_time_seconds is not null
    group by
        weeks.project_id,
        weeks.week_start_date

),

with_moving_ranges as (

    select
        *,
        abs(
            measured_value - lag(measured_value) over (
                partition by project_id, measure
                order by week_start_date
            )
        ) as moving_range
    from points

),

-- The points before a week, without its own: an unusual week does not widen the limits
-- that it is judged by. N points have N - 1 moving ranges among themselves.
with_baselines as (

    select
        *,
        count(*) over (
            partition by project_id, measure
            order by week_start_date
            rows between {{ baseline_points }} preceding and 1 preceding
        ) as baseline_point_count,
        avg(measured_value) over (
            partition by project_id, measure
            order by week_start_date
            rows between {{ baseline_points }} preceding and 1 preceding
        ) as baseline_mean,
        avg(moving_range) over (
            partition by project_id, measure
            order by week_start_date
            rows between {{ baseline_points - 1 }} preceding and 1 preceding
        ) as mean_moving_range
    from with_moving_ranges

),

with_limits as (

    select
        project_id,
        measure,
        week_start_date,
        baseline_mean,
        mean_moving_range,
        greatest(
            baseline_mean - {{ as_double(limit_factor) }} * mean_moving_range,
            {{ as_double(0) }}
        ) as lower_limit,
        baseline_mean + {{ as_double(limit_factor) }} * mean_moving_range
            as upper_limit,
        {{ as_double(range_limit_factor) }} * mean_moving_range as range_limit
    from with_baselines
    where baseline_point_count >= {{ fewest_baseline_points }}

),

final as (

    select
        points.project_id,
        points.measure,
        case
            when points.measured_value > limits.upper_limit then 'above'
            when points.measured_value < limits.lower_limit then 'below'
            when limits.measure is not null then 'none'
        end as limit_signal,
        points.measured_value,
        points.moving_range,
        points.baseline_point_count,
        limits.baseline_mean,
        limits.mean_moving_range,
        limits.lower_limit,
        limits.upper_limit,
        limits.range_limit,
        points.moving_range > limits.range_limit as is_range_signal,
        points.week_start_date
    from with_baselines as points
    left join with_limits as limits
        on
            points.project_id = limits.project_id
            and points.measure = limits.measure
            and points.week_start_date = limits.week_start_date

)

select * from final
