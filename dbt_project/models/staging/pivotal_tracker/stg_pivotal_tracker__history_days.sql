with

source as (

    select * from {{ source('pivotal_tracker', 'history_days') }}

),

renamed as (

    select
        -- ids
        project_id,

        -- numbers
        points_accepted,
        points_delivered,
        points_finished,
        points_started,
        points_rejected,
        points_planned,
        points_unstarted,
        points_unscheduled,
        counts_accepted,
        counts_delivered,
        counts_finished,
        counts_started,
        counts_rejected,
        counts_planned,
        counts_unstarted,
        counts_unscheduled,

        -- dates
        date as history_date,

        -- row
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
