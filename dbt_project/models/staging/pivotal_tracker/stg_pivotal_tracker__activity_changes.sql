-- A view: a copy of all activities would cost more than reading them where they are.
{{ config(materialized='view') }}

with

source as (

    {{ raw_rows('activity') }}

),

changes as (

    {{ unnest_json_list(
        from_cte='source',
        list_column='changes',
        keep=[
            'guid', 'project_id', 'project_version', 'performed_by_id', 'occurred_at',
            'read_by', 'record_source'
        ],
        fields={
            'kind': 'text',
            'change_type': 'text',
            'id': 'bigint',
            'number': 'bigint',
            'name': 'text',
            'story_type': 'text',
            'original_values': 'json',
            'new_values': 'json'
        }
    ) }}

),

renamed as (

    select
        -- ids
        guid as activity_id,
        project_id,
        performed_by_id,
        element_id as resource_id,
        element_number as iteration_number,

        -- text
        element_change_type as change_type,
        element_kind as resource_kind,
        element_name as resource_name,
        element_story_type as story_type,

        -- numbers
        project_version,
        element_index as change_index,

        -- objects
        element_original_values as original_values,
        element_new_values as new_values,

        -- instants
        occurred_at,
        read_by,

        -- row
        record_source
    from changes

),

final as (

    select * from renamed
    where
        resource_kind is null
        or resource_kind != 'story'
        or resource_id is null
        or {{ is_included(story_id='resource_id') }}

)

select * from final
