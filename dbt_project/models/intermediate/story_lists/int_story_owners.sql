with

stories as (

    select * from {{ ref('int_stories') }}

),

story_owners as (

    select * from {{ ref('stg_pivotal_tracker__story_owners') }}

),

told_lists as (

    select * from {{ ref('int_story_lists_told') }}
    where owner_ids is not null

),

told_owners as (

    {{ unnest_json_list(
        from_cte='told_lists',
        list_column='owner_ids',
        keep=['story_id'],
        element_type='bigint'
    ) }}

),

unioned as (

    select
        story_id,
        element as person_id,
        element_index as owner_index
    from told_owners

    union all

    select
        story_owners.story_id,
        story_owners.person_id,
        story_owners.owner_index
    from story_owners
    left join told_lists
        on story_owners.story_id = told_lists.story_id
    where told_lists.story_id is null

),

final as (

    select
        unioned.story_id,
        unioned.person_id,
        stories.project_id,
        unioned.owner_index,
        stories.is_deleted
    from unioned
    inner join stories
        on unioned.story_id = stories.story_id

)

select * from final
