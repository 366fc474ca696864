with

source as (

    select * from {{ source('pivotal_tracker', 'cycle_time_details') }}

),

renamed as (

    select
        -- ids
        story_id,
        project_id,
        iteration_number,

        -- numbers
        total_cycle_time as tracker_total_cycle_time_ms,
        started_time as tracker_started_time_ms,
        finished_time as tracker_finished_time_ms,
        delivered_time as tracker_delivered_time_ms,
        rejected_time as tracker_rejected_time_ms,
        started_count as tracker_started_count,
        finished_count as tracker_finished_count,
        delivered_count as tracker_delivered_count,
        rejected_count as tracker_rejected_count,

        -- row
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
