with

projects_as_of as (

    select * from {{ ref('int_projects_as_of') }}

),

labels as (

    select * from {{ ref('stg_pivotal_tracker__labels') }}

),

epics as (

    select * from {{ ref('int_epics') }}
    where label_id is not null

),

story_labels as (

    select * from {{ ref('int_story_labels') }}

),

activity_label_names as (

    select * from {{ ref('int_activity_label_names') }}

),

listed_labels as (

    select labels.*
    from labels
    inner join projects_as_of
        on labels.project_id = projects_as_of.project_id
    where
        labels.created_at is null
        or labels.created_at <= projects_as_of.as_of

),

-- A label that its project does not list is known from stories that carry it, or from
-- its epic.
mentions as (

    select
        label_id,
        project_id,
        label_name
    from story_labels

    union all

    select
        label_id,
        project_id,
        label_name
    from epics

),

unlisted_labels as (

    select
        mentions.label_id,
        min(mentions.project_id) as project_id,
        coalesce(min(mentions.label_name), min(activity_label_names.label_name))
            as label_name
    from mentions
    left join listed_labels
        on mentions.label_id = listed_labels.label_id
    left join activity_label_names
        on mentions.label_id = activity_label_names.label_id
    where listed_labels.label_id is null
    group by mentions.label_id

),

final as (

    select
        label_id,
        project_id,
        label_name,
        true as is_listed,
        created_at,
        updated_at
    from listed_labels

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
