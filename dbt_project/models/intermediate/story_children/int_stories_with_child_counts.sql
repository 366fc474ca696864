with

comments as (

    select * from {{ ref('fct_comment') }}

),

tasks as (

    select * from {{ ref('fct_task') }}

),

blockers as (

    select * from {{ ref('fct_blocker') }}

),

children as (

    select
        story_id,
        1 as comment_count,
        0 as task_count,
        0 as completed_task_count,
        0 as open_blocker_count
    from comments

    union all

    select
        story_id,
        0 as comment_count,
        1 as task_count,
        case when is_complete then 1 else 0 end as completed_task_count,
        0 as open_blocker_count
    from tasks

    union all

    select
        story_id,
        0 as comment_count,
        0 as task_count,
        0 as completed_task_count,
        case when is_resolved then 0 else 1 end as open_blocker_count
    from blockers

),

final as (

    select
        story_id,
        sum(comment_count) as comment_count,
        sum(task_count) as task_count,
        sum(completed_task_count) as completed_task_count,
        sum(open_blocker_count) as open_blocker_count
    from children
    where story_id is not null
    group by story_id

)

select * from final
