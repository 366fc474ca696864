with

as_of as (

    select * from {{ ref('int_as_of') }}

),

stories as (

    select * from {{ ref('int_stories') }}

),

labels as (

    select * from {{ ref('stg_pivotal_tracker__labels') }}

),

story_labels as (

    select * from {{ ref('stg_pivotal_tracker__story_labels') }}

),

-- A label that the project no longer lists has no instant of creation; it stays.
final as (

    select
        story_labels.story_id,
        story_labels.label_id,
        stories.project_id,
        story_labels.label_name,
        stories.is_deleted
    from story_labels
    inner join stories
        on story_labels.story_id = stories.story_id
    cross join as_of
    left join labels
        on story_labels.label_id = labels.label_id
    where
        labels.created_at is null
        or labels.created_at <= as_of.as_of

)

select * from final
