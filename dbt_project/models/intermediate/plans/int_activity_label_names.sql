with

activity_changes as (

    select * from {{ ref('int_activity_changes') }}
    where
        resource_kind = 'label'
        and resource_name is not null

),

-- An activity names a label as it was called when the activity was read: the latest one
-- is right, whenever that was.
ranked as (

    select
        resource_id as label_id,
        resource_name as label_name,
        row_number() over (
            partition by resource_id
            order by occurred_at desc, project_version desc, change_index desc
        ) as recency
    from activity_changes

),

final as (

    select
        label_id,
        label_name
    from ranked
    where recency = 1

)

select * from final
