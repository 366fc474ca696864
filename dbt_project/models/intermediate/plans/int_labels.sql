with

as_of as (

    select * from {{ ref('int_as_of') }}

),

labels as (

    select * from {{ ref('stg_pivotal_tracker__labels') }}

),

story_labels as (

    select * from {{ ref('int_story_labels') }}

),

-- An activity names a label as it was called when the activity was read: the latest one
-- is right, whenever that was.
names_told as (

    select
        resource_id as label_id,
        resource_name as label_name,
        row_number() over (
            partition by resource_id
            order by occurred_at desc, project_version desc, change_index desc
        ) as recency
    from {{ ref('int_activity_changes') }}
    where
        resource_kind = 'label'
        and resource_name is not null

),

-- A label that its project no longer lists is known from stories that carry it.
unlisted_labels as (

    select
        story_labels.label_id,
        min(story_labels.project_id) as project_id,
        coalesce(min(story_labels.label_name), min(names_told.label_name)) as label_name
    from story_labels
    left join labels
        on story_labels.label_id = labels.label_id
    left join names_told
        on
            story_labels.label_id = names_told.label_id
            and names_told.recency = 1
    where labels.label_id is null
    group by story_labels.label_id

),

final as (

    select
        labels.label_id,
        labels.project_id,
        labels.label_name,
        true as is_listed,
        labels.created_at,
        labels.updated_at
    from labels
    cross join as_of
    where
        labels.created_at is null
        or labels.created_at <= as_of.as_of

    union all

    select
        label_id,
        project_id,
        label_name,
        false as is_listed,
        null as created_at,
        null as updated_at
    from unlisted_labels

)

select * from final
