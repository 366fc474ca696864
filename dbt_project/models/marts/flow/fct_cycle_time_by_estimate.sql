{{ config(enabled=is_built('flow')) }}
with

stories as (

    select * from {{ ref('fct_story_cycle_time') }}
    where
        is_accepted
        and not is_deleted
        and estimate is not null
        and cycle_time_seconds is not null

),

ranked as (

    select
        project_id,
        estimate,
        cycle_time_seconds,
        row_number() over (
            partition by project_id, estimate
            order by cycle_time_seconds
        ) as seconds_rank,
        count(*) over (partition by project_id, estimate) as group_story_count
    from stories

),

final as (

    select
        project_id,
        estimate,
        count(*) as story_count,
        {{ discrete_percentile(
            'cycle_time_seconds', 'seconds_rank', 'group_story_count', 50
        ) }} as p50_seconds,
        {{ discrete_percentile(
            'cycle_time_seconds', 'seconds_rank', 'group_story_count', 70
        ) }} as p70_seconds,
        {{ discrete_percentile(
            'cycle_time_seconds', 'seconds_rank', 'group_story_count', 85
        ) }} as p85_seconds,
        {{ discrete_percentile(
            'cycle_time_seconds', 'seconds_rank', 'group_story_count', 95
        ) }} as p95_seconds
    from ranked
    group by
        project_id,
        estimate

)

select * from final
