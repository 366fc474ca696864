-- How much do we get done in a typical week, and how many weeks see nothing?
{{ config(enabled=is_built('flow')) }}
with

weeks as (

    select
        project_id,
        week_start_date,
        sum(story_count) as story_count
    from {{ ref('fct_throughput') }}
    where is_complete
    group by project_id, week_start_date

),

final as (

    select
        project_id,
        {{ median('story_count') }} as median_story_count,
        count(case when story_count = 0 then 1 end) as empty_week_count,
        count(*) as week_count
    from weeks
    group by project_id
    order by project_id

)

select * from final
