with

source as (

    select * from {{ source('pivotal_tracker', 'iterations') }}

),

renamed as (

    select
        -- ids
        project_id || '-' || number as iteration_key,
        project_id,
        number as iteration_number,

        -- numbers
        length as length_weeks,
        team_strength,
        velocity as tracker_velocity,
        points as tracker_points,
        accepted_points as tracker_accepted_points,
        effective_points as tracker_effective_points,

        -- lists
        analytics as tracker_analytics,

        -- booleans
        planned as is_planned,

        -- instants
        start as starts_at,
        finish as finishes_at,

        -- row
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
