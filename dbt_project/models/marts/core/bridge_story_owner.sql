with

story_owners as (

    select * from {{ ref('int_story_owners') }}

),

final as (

    select
        story_id,
        person_id,
        project_id,
        owner_index,
        count(*) over (partition by story_id) as story_owner_count,
        is_deleted
    from story_owners

)

select * from final
