{%- set repairs = [] -%}

with

source as (

    {{ raw_rows('releases') }}

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
        {{ repaired('points_accepted', 'figure', repairs) }} as tracker_points_accepted,
        {{ repaired('points_total', 'figure', repairs) }} as tracker_points_total,
        {{ repaired('counts_accepted', 'figure', repairs) }} as tracker_counts_accepted,
        {{ repaired('counts_total', 'figure', repairs) }} as tracker_counts_total,

        -- lists
        {{ repaired('labels', 'list', repairs) }} as labels,
        {{ repaired('story_ids', 'list', repairs) }} as story_ids,

        -- instants
        {{ repaired('deadline', 'planned_instant', repairs) }} as deadline_at,
        {{ repaired('projected_completion', 'planned_instant', repairs) }}
            as tracker_projected_completion_at,
        {{ repaired('accepted_at', 'instant', repairs) }} as accepted_at,
        {{ repaired('created_at', 'instant', repairs) }} as created_at,
        {{ repaired('updated_at', 'instant', repairs) }} as updated_at,

        -- row
        {{ repair_evidence(repairs) }} as repairs,
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
