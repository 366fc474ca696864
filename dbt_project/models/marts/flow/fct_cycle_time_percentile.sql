with

cycle_times as (

    select * from {{ ref('int_cycle_times_ranked') }}

),

final as (

    select
        project_id,
        measure,
        story_type,
        time_window,
        window_days,
        count(story_id) as story_count,
        {{ discrete_percentile(
            'measured_seconds', 'seconds_rank', 'group_story_count', 50
        ) }} as p50_seconds,
        {{ discrete_percentile(
            'measured_seconds', 'seconds_rank', 'group_story_count', 70
        ) }} as p70_seconds,
        {{ discrete_percentile(
            'measured_seconds', 'seconds_rank', 'group_story_count', 85
        ) }} as p85_seconds,
        {{ discrete_percentile(
            'measured_seconds', 'seconds_rank', 'group_story_count', 95
        ) }} as p95_seconds
    from cycle_times
    group by
        project_id,
        measure,
        story_type,
        time_window,
        window_days

)

select * from final
