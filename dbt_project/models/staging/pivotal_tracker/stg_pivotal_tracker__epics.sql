{%- set repairs = [] -%}

with

source as (

    {{ raw_rows('epics') }}

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
        {{ repaired('past_done_story_estimates', 'figure', repairs) }}
            as tracker_past_done_story_estimates,
        {{ repaired('past_done_stories_count', 'figure', repairs) }}
            as tracker_past_done_stories_count,
        {{ repaired('past_done_stories_no_point_count', 'figure', repairs) }}
            as tracker_past_done_stories_no_point_count,

        -- booleans
        ({{ repaired('comments', 'list', repairs) }}) is not null as has_comment_list,

        -- instants
        {{ repaired('projected_completion', 'planned_instant', repairs) }}
            as tracker_projected_completion_at,
        {{ repaired('completed_at', 'instant', repairs) }} as tracker_completed_at,
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
