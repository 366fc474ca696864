with

projects_as_of as (

    select * from {{ ref('int_projects_as_of') }}

),

labels as (

    select * from {{ ref('stg_pivotal_tracker__labels') }}

),

story_labels as (

    select * from {{ ref('int_story_labels') }}

),

names_told as (

    select * from {{ ref('int_label_names_told') }}

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
        on story_labels.label_id = names_told.label_id
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
    inner join projects_as_of
        on labels.project_id = projects_as_of.project_id
    where
        labels.created_at is null
        or labels.created_at <= projects_as_of.as_of

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
