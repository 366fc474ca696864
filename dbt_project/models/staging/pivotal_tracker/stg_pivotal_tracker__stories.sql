with

source as (

    select * from {{ source('pivotal_tracker', 'stories') }}

),

renamed as (

    select
        -- ids
        id as story_id,
        project_id,
        requested_by_id,
        owned_by_id,
        external_id,
        integration_id,
        before_id,
        after_id,

        -- text
        name as story_name,
        description as story_description,
        story_type,
        story_priority,
        current_state,
        url,
        delete_evidence,

        -- numbers
        estimate,
        points_accepted as tracker_points_accepted,
        points_total as tracker_points_total,
        counts_accepted as tracker_counts_accepted,
        counts_total as tracker_counts_total,

        -- lists
        follower_ids,
        pull_requests,
        branches,

        -- booleans
        coalesce(is_deleted, false) as is_deleted,
        coalesce(is_date_only, false) as is_date_only,
        owner_ids is not null as has_owner_list,
        labels is not null as has_label_list,
        comments is not null as has_comment_list,
        tasks is not null as has_task_list,
        blockers is not null as has_blocker_list,
        reviews is not null as has_review_list,
        transitions is not null as has_transition_list,

        -- instants
        deadline as deadline_at,
        projected_completion as tracker_projected_completion_at,
        accepted_at,
        created_at,
        updated_at,
        deleted_at,

        -- row
        source_file,
        source_line,
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
