with

source as (

    select * from {{ source('pivotal_tracker', 'stories') }}

),

tasks as (

    {{ unnest_json_list(
        from_cte='source',
        list_column='tasks',
        keep=['id', 'project_id', 'record_source'],
        fields={
            'id': 'bigint',
            'description': 'text',
            'position': 'bigint',
            'complete': 'boolean',
            'created_at': 'timestamp',
            'updated_at': 'timestamp'
        }
    ) }}

),

renamed as (

    select
        -- ids
        element_id as task_id,
        id as story_id,
        project_id,

        -- text
        element_description as task_description,

        -- numbers
        element_position as task_position,

        -- booleans
        element_complete as is_complete,

        -- instants
        element_created_at as created_at,
        element_updated_at as updated_at,

        -- row
        record_source
    from tasks

)

select * from renamed
