{%- set repairs = [] -%}

with

source as (

    {{ raw_rows('projects') }}

),

mentions as (

    select id as project_id from source
    union all
    select project_id from {{ ref('stg_pivotal_tracker__stories') }}
    union all
    select project_id from {{ ref('stg_pivotal_tracker__activities') }}

),

project_ids as (

    select project_id
    from mentions
    group by project_id

),

-- A project that was not loaded has a row too, if there are stories or activities in
-- it.
with_unread as (

    select
        project_ids.project_id,
        source.*
    from project_ids
    left join source
        on project_ids.project_id = source.id

),

renamed as (

    select
        -- ids
        project_id,
        account_id,
        resembles_project_id,

        -- text
        name as project_name,
        description as project_description,
        profile_content,
        status as project_status,
        project_type,
        {{ repaired(
            json_text('time_zone', 'olson_name'), 'time_zone', repairs, name='time_zone'
        ) }} as time_zone,
        week_start_day,
        point_scale,

        -- numbers
        version as project_version,
        {{ repaired('iteration_length', 'weeks', repairs) }} as iteration_length_weeks,
        {{ repaired('velocity_averaged_over', 'iteration_count', repairs) }}
            as velocity_averaged_over,
        {{ repaired('initial_velocity', 'points', repairs) }} as initial_velocity,
        number_of_done_iterations_to_show,
        current_iteration_number as tracker_current_iteration_number,
        {{ repaired('current_velocity', 'figure', repairs) }}
            as tracker_current_velocity,
        {{ repaired('current_standard_deviation', 'figure', repairs) }}
            as tracker_current_standard_deviation,
        {{ repaired('current_volatility', 'figure', repairs) }}
            as tracker_current_volatility,

        -- lists
        {{ repaired('iteration_override_numbers', 'list', repairs) }}
            as iteration_override_numbers,
        {{ repaired('inferred_fields', 'list', repairs) }} as inferred_settings,

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
        {{ repaired('start_date', 'date', repairs) }} as start_date,
        {{ repaired('start_time', 'instant', repairs) }} as started_at,
        {{ repaired('shown_iterations_start_time', 'planned_instant', repairs) }}
            as shown_iterations_started_at,
        {{ repaired('created_at', 'instant', repairs) }} as created_at,
        {{ repaired('updated_at', 'instant', repairs) }} as updated_at,

        -- row
        {{ repair_evidence(repairs) }} as repairs,
        source_file,
        extra_fields,
        coalesce(record_source, 'activity') as record_source,
        id is not null as is_read,
        _dlt_load_id as load_id
    from with_unread

)

select * from renamed
