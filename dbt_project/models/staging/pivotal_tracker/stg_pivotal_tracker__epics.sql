with

source as (

    select * from {{ source('pivotal_tracker', 'epics') }}

),

renamed as (

    select
        -- ids
        id as epic_id,
        project_id,
        label_id,
        before_id,
        after_id,

        -- text
        name as epic_name,
        description as epic_description,
        {{ json_text('label', 'name') }} as label_name,
        url,

        -- numbers
        past_done_story_estimates as tracker_past_done_story_estimates,
        past_done_stories_count as tracker_past_done_stories_count,
        past_done_stories_no_point_count as tracker_past_done_stories_no_point_count,

        -- instants
        projected_completion as tracker_projected_completion_at,
        completed_at as tracker_completed_at,
        created_at,
        updated_at,

        -- row
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
