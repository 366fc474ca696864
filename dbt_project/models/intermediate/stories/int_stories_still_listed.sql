-- The row of a deleted story stays in a warehouse that once read it, and a later first
-- load never finds one: what only such rows tell must count in neither.
with

stories as (

    select * from {{ ref('stg_pivotal_tracker__stories') }}

),

deletions as (

    select * from {{ ref('int_story_deletions') }}

),

final as (

    select stories.story_id
    from stories
    left join deletions
        on stories.story_id = deletions.story_id
    where
        not stories.is_deleted
        and deletions.story_id is null

)

select * from final
