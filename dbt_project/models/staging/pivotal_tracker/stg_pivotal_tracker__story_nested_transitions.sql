with

source as (

    select * from {{ source('pivotal_tracker', 'stories') }}

),

transitions as (

    {{ unnest_json_list(
        from_cte='source',
        list_column='transitions',
        keep=['id', 'project_id', 'record_source'],
        fields={
            'story_id': 'bigint',
            'project_id': 'bigint',
            'project_version': 'bigint',
            'state': 'text',
            'performed_by_id': 'bigint',
            'occurred_at': 'timestamp'
        }
    ) }}

),

renamed as (

    select
        -- ids
        id as story_id,
        coalesce(element_project_id, project_id) as project_id,
        element_performed_by_id as performed_by_id,

        -- text
        element_state as to_state,

        -- numbers
        element_project_version as project_version,

        -- instants
        element_occurred_at as occurred_at,

        -- row
        record_source
    from transitions

)

select * from renamed
