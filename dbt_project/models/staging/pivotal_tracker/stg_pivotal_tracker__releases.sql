with

source as (

    select * from {{ source('pivotal_tracker', 'releases') }}

),

renamed as (

    select
        -- ids
        id as release_id,
        project_id,

        -- text
        name as release_name,
        description as release_description,
        current_state,
        url,
        projected_completion_interval as tracker_projected_completion_interval,

        -- numbers
        points_accepted as tracker_points_accepted,
        points_total as tracker_points_total,
        counts_accepted as tracker_counts_accepted,
        counts_total as tracker_counts_total,

        -- lists
        labels,
        story_ids,

        -- instants
        deadline as deadline_at,
        projected_completion as tracker_projected_completion_at,
        accepted_at,
        created_at,
        updated_at,

        -- row
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
