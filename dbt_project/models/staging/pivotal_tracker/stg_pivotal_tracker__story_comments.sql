with

source as (

    select * from {{ source('pivotal_tracker', 'stories') }}

),

comments as (

    {{ unnest_json_list(
        from_cte='source',
        list_column='comments',
        keep=['id', 'project_id', 'record_source'],
        fields={
            'id': 'bigint',
            'person_id': 'bigint',
            'text': 'text',
            'created_at': 'timestamp',
            'updated_at': 'timestamp'
        }
    ) }}

),

renamed as (

    select
        -- ids
        element_id as comment_id,
        id as story_id,
        project_id,
        element_person_id as person_id,

        -- text
        element_text as comment_text,

        -- instants
        element_created_at as created_at,
        element_updated_at as updated_at,

        -- row
        record_source
    from comments

)

select * from renamed
