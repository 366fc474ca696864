with

blockers as (

    select * from {{ ref('fct_blocker') }}
    where not is_resolved

),

final as (

    select
        story_id,
        count(*) as open_blocker_count,
        min(created_at) as blocked_since_at
    from blockers
    group by story_id

)

select * from final
