{%- set repairs = [] -%}

with

source as (

    {{ raw_rows('stories') }}

),

archive_files as (

    {{ raw_rows('archive_files') }}

),

with_files as (

    select
        source.*,
        archive_files.as_of as file_as_of
    from source
    left join archive_files
        on source.source_file = archive_files.file

),

renamed as (

    select
        -- ids
        id as story_id,
        project_id,
        requested_by_id,
        owned_by_id,
        external_id,
        integration_id,
        before_id,
        after_id,

        -- text
        name as story_name,
        description as story_description,
        story_type,
        story_priority,
        current_state,
        url,
        delete_evidence,

        -- numbers
        {{ repaired('estimate', 'points', repairs) }} as estimate,
        {{ repaired('points_accepted', 'figure', repairs) }} as tracker_points_accepted,
        {{ repaired('points_total', 'figure', repairs) }} as tracker_points_total,
        {{ repaired('counts_accepted', 'figure', repairs) }} as tracker_counts_accepted,
        {{ repaired('counts_total', 'figure', repairs) }} as tracker_counts_total,

        -- lists
        {% for list in ['follower_ids', 'pull_requests', 'branches'] %}
        {{ repaired(list, 'list', repairs) }} as {{ list }},
        {% endfor %}
        {%- do repaired('owners', 'list', repairs) %}

        -- booleans
        coalesce(is_deleted, false) as is_deleted,
        coalesce(is_date_only, false) as is_date_only,
        {% for list, name in [
            ('owner_ids', 'owner'), ('labels', 'label'), ('comments', 'comment'),
            ('tasks', 'task'), ('blockers', 'blocker'), ('reviews', 'review'),
            ('transitions', 'transition')
        ] %}
        ({{ repaired(list, 'list', repairs) }}) is not null as has_{{ name }}_list,
        {% endfor %}

        -- instants
        {{ repaired('deadline', 'planned_instant', repairs) }} as deadline_at,
        {{ repaired('projected_completion', 'planned_instant', repairs) }}
            as tracker_projected_completion_at,
        {{ repaired('accepted_at', 'instant', repairs) }} as accepted_at,
        {{ repaired('created_at', 'instant', repairs) }} as created_at,
        {{ repaired('updated_at', 'instant', repairs) }} as updated_at,
        {{ repaired('deleted_at', 'instant', repairs) }} as deleted_at,
        file_as_of,

        -- row
        {{ repair_evidence(repairs) }} as repairs,
        source_file,
        source_line,
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from with_files

),

final as (

    select
        *,
        coalesce(updated_at, file_as_of) as record_at
    from renamed

)

select * from final
