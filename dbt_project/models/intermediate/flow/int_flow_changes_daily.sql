with

stays as (

    select * from {{ ref('int_story_flow_stays') }}
    where {{ differ('entered_date', 'left_date') }}

),

changes as (

    select
        project_id,
        story_state,
        1 as story_count,
        coalesce(estimate, 0) as points,
        entered_date as flow_date
    from stays

    union all

    select
        project_id,
        story_state,
        -1 as story_count,
        0 - coalesce(estimate, 0) as points, -- Sail's minus sign has another scale
        left_date as flow_date
    from stays
    where left_date is not null

),

final as (

    select
        project_id,
        story_state,
        sum(story_count) as story_count_change,
        sum(points) as points_change,
        flow_date
    from changes
    group by
        project_id,
        story_state,
        flow_date

)

select * from final
