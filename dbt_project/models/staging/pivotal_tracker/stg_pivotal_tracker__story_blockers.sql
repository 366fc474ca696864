with

source as (

    select * from {{ source('pivotal_tracker', 'stories') }}

),

blockers as (

    {{ unnest_json_list(
        from_cte='source',
        list_column='blockers',
        keep=['id', 'project_id', 'record_source'],
        fields={
            'id': 'bigint',
            'person_id': 'bigint',
            'description': 'text',
            'resolved': 'boolean',
            'created_at': 'timestamp',
            'updated_at': 'timestamp'
        }
    ) }}

),

renamed as (

    select
        -- ids
        element_id as blocker_id,
        id as story_id,
        project_id,
        element_person_id as person_id,

        -- text
        element_description as blocker_description,

        -- booleans
        element_resolved as is_resolved,

        -- instants
        element_created_at as created_at,
        element_updated_at as updated_at,

        -- row
        record_source
    from blockers

)

select * from renamed
