{%- set repairs = [] -%}

with

source as (

    {{ raw_rows('history_days') }}

),

renamed as (

    select
        -- ids
        project_id,

        -- numbers
        {{ repaired('points_accepted', 'figure', repairs) }} as points_accepted,
        {{ repaired('points_delivered', 'figure', repairs) }} as points_delivered,
        {{ repaired('points_finished', 'figure', repairs) }} as points_finished,
        {{ repaired('points_started', 'figure', repairs) }} as points_started,
        {{ repaired('points_rejected', 'figure', repairs) }} as points_rejected,
        {{ repaired('points_planned', 'figure', repairs) }} as points_planned,
        {{ repaired('points_unstarted', 'figure', repairs) }} as points_unstarted,
        {{ repaired('points_unscheduled', 'figure', repairs) }} as points_unscheduled,
        {{ repaired('counts_accepted', 'figure', repairs) }} as counts_accepted,
        {{ repaired('counts_delivered', 'figure', repairs) }} as counts_delivered,
        {{ repaired('counts_finished', 'figure', repairs) }} as counts_finished,
        {{ repaired('counts_started', 'figure', repairs) }} as counts_started,
        {{ repaired('counts_rejected', 'figure', repairs) }} as counts_rejected,
        {{ repaired('counts_planned', 'figure', repairs) }} as counts_planned,
        {{ repaired('counts_unstarted', 'figure', repairs) }} as counts_unstarted,
        {{ repaired('counts_unscheduled', 'figure', repairs) }} as counts_unscheduled,

        -- dates
        date as history_date,

        -- row
        {{ repair_evidence(repairs) }} as repairs,
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
