with

stories as (

    select * from {{ ref('int_stories') }}

),

labels as (

    select * from {{ ref('stg_pivotal_tracker__labels') }}

),

story_labels as (

    select * from {{ ref('stg_pivotal_tracker__story_labels') }}

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
        {{ as_text('null') }} as label_name,
        element_index as label_index
    from activity_labels

    union all

    select
        story_labels.story_id,
        story_labels.label_id,
        story_labels.label_name,
        story_labels.label_index
    from story_labels
    left join stories_with_activity_labels
        on story_labels.story_id = stories_with_activity_labels.story_id
    where stories_with_activity_labels.story_id is null

),

-- A label that the project no longer lists has no instant of creation; it stays.
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
