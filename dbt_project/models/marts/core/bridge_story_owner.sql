with

stories as (

    select * from {{ ref('int_stories') }}

),

record_owners as (

    select * from {{ ref('stg_pivotal_tracker__story_list_items') }}
    where item_kind = 'owner'

),

stories_with_activity_owners as (

    select * from stories
    where activity_owner_ids is not null

),

activity_lists as (

    {{ unnest_json_list(
        from_cte='stories_with_activity_owners',
        list_column='activity_owner_ids',
        keep=['story_id'],
        element_type='bigint'
    ) }}

),

activity_owners as (

    select
        story_id,
        element as person_id,
        min(element_index) as owner_index
    from activity_lists
    where element is not null
    group by
        story_id,
        element

),

unioned as (

    select * from activity_owners

    union all

    select
        record_owners.story_id,
        record_owners.item_id as person_id,
        record_owners.item_index as owner_index
    from record_owners
    left join stories_with_activity_owners
        on record_owners.story_id = stories_with_activity_owners.story_id
    where stories_with_activity_owners.story_id is null

),

final as (

    select
        unioned.story_id,
        unioned.person_id,
        stories.project_id,
        row_number() over (
            partition by unioned.story_id
            order by unioned.owner_index
        ) as owner_index,
        count(*) over (partition by unioned.story_id) as story_owner_count,
        stories.is_deleted
    from unioned
    inner join stories
        on unioned.story_id = stories.story_id

)

select * from final
