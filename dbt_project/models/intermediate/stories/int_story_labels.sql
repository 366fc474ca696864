with

stories as (

    select * from {{ ref('int_stories') }}

),

labels as (

    select * from {{ ref('stg_pivotal_tracker__labels') }}

),

record_labels as (

    select * from {{ ref('stg_pivotal_tracker__story_list_items') }}
    where item_kind = 'label'

),

stories_with_activity_labels as (

    select * from stories
    where activity_label_ids is not null

),

activity_labels as (

    {{ unnest_json_list(
        from_cte='stories_with_activity_labels',
        list_column='activity_label_ids',
        keep=['story_id'],
        element_type='bigint'
    ) }}

),

unioned as (

    select
        story_id,
        element as label_id,
        {{ as_text('null') }} as label_name
    from activity_labels

    union all

    select
        record_labels.story_id,
        record_labels.item_id as label_id,
        record_labels.item_name as label_name
    from record_labels
    left join stories_with_activity_labels
        on record_labels.story_id = stories_with_activity_labels.story_id
    where stories_with_activity_labels.story_id is null

),

-- A label that the project no longer lists has no instant of creation; it is kept.
final as (

    select
        unioned.story_id,
        unioned.label_id,
        stories.project_id,
        unioned.label_name,
        stories.is_deleted
    from unioned
    inner join stories
        on unioned.story_id = stories.story_id
    left join labels
        on unioned.label_id = labels.label_id
    where
        labels.created_at is null
        or labels.created_at <= stories.as_of

)

select * from final
