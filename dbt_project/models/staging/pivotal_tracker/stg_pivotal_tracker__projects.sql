with

source as (

    select * from {{ source('pivotal_tracker', 'projects') }}

),

renamed as (

    select
        -- ids
        id as project_id,
        account_id,
        resembles_project_id,

        -- text
        name as project_name,
        description as project_description,
        profile_content,
        status as project_status,
        project_type,
        {{ json_text('time_zone', 'olson_name') }} as time_zone,
        week_start_day,
        point_scale,

        -- numbers
        version as project_version,
        iteration_length as iteration_length_weeks,
        velocity_averaged_over,
        initial_velocity,
        number_of_done_iterations_to_show,
        current_iteration_number as tracker_current_iteration_number,
        current_velocity as tracker_current_velocity,
        current_standard_deviation as tracker_current_standard_deviation,
        current_volatility as tracker_current_volatility,

        -- lists
        iteration_override_numbers,
        inferred_fields as inferred_settings,

        -- booleans
        point_scale_is_custom as is_point_scale_custom,
        bugs_and_chores_are_estimatable as estimates_bugs_and_chores,
        automatic_planning as is_automatic_planning,
        public as is_public,
        enable_tasks as has_tasks_enabled,
        enable_following as has_following_enabled,
        enable_incoming_emails as has_incoming_emails_enabled,
        atom_enabled as has_atom_enabled,
        has_google_domain,
        show_story_priority as shows_story_priority,
        show_priority_icon as shows_priority_icon,
        show_priority_icon_in_all_panels as shows_priority_icon_in_all_panels,

        -- dates and instants
        start_date,
        start_time as started_at,
        shown_iterations_start_time as shown_iterations_started_at,
        created_at,
        updated_at,

        -- row
        source_file,
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
