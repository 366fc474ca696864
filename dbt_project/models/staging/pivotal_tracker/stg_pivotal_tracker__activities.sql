-- A view: a copy of all activities would cost more than reading them where they are.
{{ config(materialized='view') }}

{%- set repairs = [] %}

with

source as (

    {{ raw_rows('activity') }}

),

renamed as (

    select
        -- ids
        guid as activity_id,
        project_id,
        performed_by_id,
        {{ typed_text(json_text('primary_resources', '[0].id'), 'bigint') }}
            as primary_resource_id,

        -- text
        kind as activity_kind,
        message,
        highlight,
        {{ json_text('performed_by', 'name') }} as performed_by_name,
        {{ json_text('performed_by', 'initials') }} as performed_by_initials,
        {{ json_text('primary_resources', '[0].kind') }} as primary_resource_kind,

        -- numbers
        project_version,
        confidence,

        -- booleans
        coalesce(is_date_only, false) as is_date_only,

        -- lists
        {% for list in ['changes', 'primary_resources', 'secondary_resources'] %}
        {{ repaired(list, 'list', repairs) }} as {{ list }},
        {% endfor %}

        -- instants
        occurred_at,
        read_by,

        -- row
        {{ repair_evidence(repairs) }} as repairs,
        source_file,
        source_line,
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
