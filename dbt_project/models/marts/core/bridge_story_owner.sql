with

stories as (

    select * from {{ ref('int_stories') }}

),

story_owners as (

    select * from {{ ref('stg_pivotal_tracker__story_owners') }}

),

final as (

    select
        story_owners.story_id,
        story_owners.person_id,
        stories.project_id,
        story_owners.owner_index,
        count(*) over (partition by story_owners.story_id) as story_owner_count,
        stories.is_deleted
    from story_owners
    inner join stories
        on story_owners.story_id = stories.story_id

)

select * from final
