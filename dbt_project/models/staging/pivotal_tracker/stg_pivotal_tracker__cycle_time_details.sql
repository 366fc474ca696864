{%- set repairs = [] -%}

with

source as (

    {{ raw_rows('cycle_time_details') }}

),

renamed as (

    select
        -- ids
        story_id,
        project_id,
        iteration_number,

        -- numbers
        {{ repaired('total_cycle_time', 'figure', repairs) }}
            as tracker_total_cycle_time_ms,
        {{ repaired('started_time', 'figure', repairs) }} as tracker_started_time_ms,
        {{ repaired('finished_time', 'figure', repairs) }} as tracker_finished_time_ms,
        {{ repaired('delivered_time', 'figure', repairs) }}
            as tracker_delivered_time_ms,
        {{ repaired('rejected_time', 'figure', repairs) }} as tracker_rejected_time_ms,
        {{ repaired('started_count', 'figure', repairs) }} as tracker_started_count,
        {{ repaired('finished_count', 'figure', repairs) }} as tracker_finished_count,
        {{ repaired('delivered_count', 'figure', repairs) }} as tracker_delivered_count,
        {{ repaired('rejected_count', 'figure', repairs) }} as tracker_rejected_count,

        -- row
        {{ repair_evidence(repairs) }} as repairs,
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
