with

projects_as_of as (

    select * from {{ ref('int_projects') }}

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

-- An activity names a label as it was called when the activity was read: the latest one
-- is right, whenever that was.
ranked_activity_labels as (

    select
        resource_id as label_id,
        project_id,
        resource_name as label_name,
        row_number() over (
            partition by resource_id
            order by {{ order_of_changes(direction='desc') }}
        ) as recency
    from {{ ref('int_activity_changes') }}
    where
        resource_kind = 'label'
        and resource_id is not null
        and resource_name is not null

),

activity_labels as (

    select * from ranked_activity_labels
    where recency = 1

),

-- A record can be older than the activity that deletes its label.
deletions as (

    select
        resource_id as label_id,
        min(occurred_at) as deleted_at
    from {{ ref('int_activity_changes') }}
    where resource_kind = 'label' and change_type = 'delete'
    group by resource_id

),

listed_labels as (

    select labels.*
    from labels
    inner join projects_as_of
        on labels.project_id = projects_as_of.project_id
    left join deletions
        on labels.label_id = deletions.label_id
    where
        (
            labels.created_at is null
            or labels.created_at <= projects_as_of.as_of
        )
        and (
            deletions.deleted_at is null
            or deletions.deleted_at > projects_as_of.as_of
        )

),

-- A label that its project does not list is known from its stories or its epic.
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
        coalesce(min(mentions.label_name), min(activity_labels.label_name))
            as label_name
    from mentions
    left join listed_labels
        on mentions.label_id = listed_labels.label_id
    left join activity_labels
        on mentions.label_id = activity_labels.label_id
    where listed_labels.label_id is null
    group by mentions.label_id

),

final as (

    select
        label_id,
        project_id,
        label_name,
        true as is_listed,
        true as is_current,
        created_at,
        updated_at
    from listed_labels

    union all

    select
        label_id,
        project_id,
        label_name,
        false as is_listed,
        true as is_current,
        null as created_at,
        null as updated_at
    from unlisted_labels

    union all

    -- Nothing has it now; past versions of stories do.
    select
        activity_labels.label_id,
        activity_labels.project_id,
        activity_labels.label_name,
        false as is_listed,
        false as is_current,
        null as created_at,
        null as updated_at
    from activity_labels
    left join listed_labels
        on activity_labels.label_id = listed_labels.label_id
    left join unlisted_labels
        on activity_labels.label_id = unlisted_labels.label_id
    where
        listed_labels.label_id is null
        and unlisted_labels.label_id is null

)

select * from final
