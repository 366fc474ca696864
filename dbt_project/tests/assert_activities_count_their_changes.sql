with

activities as (

    select * from {{ ref('fct_activity') }}

),

changes_by_activity as (

    select
        activity_id,
        count(*) as change_count,
        max(cast(is_state_change as integer)) as state_change
    from {{ ref('fct_activity_change') }}
    group by activity_id

)

select
    activities.activity_id,
    activities.change_count,
    changes_by_activity.change_count as changes
from activities
left join changes_by_activity
    on activities.activity_id = changes_by_activity.activity_id
where
    {{ differ(
        'activities.change_count', 'coalesce(changes_by_activity.change_count, 0)'
    ) }}
    or {{ differ(
        'case when activities.is_state_change then 1 else 0 end',
        'coalesce(changes_by_activity.state_change, 0)'
    ) }}
