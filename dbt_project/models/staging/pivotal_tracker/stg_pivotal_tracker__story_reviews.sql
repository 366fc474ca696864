with

source as (

    select * from {{ source('pivotal_tracker', 'stories') }}

),

reviews as (

    {{ unnest_json_list(
        from_cte='source',
        list_column='reviews',
        keep=['id', 'project_id', 'record_source'],
        fields={
            'id': 'bigint',
            'review_type_id': 'bigint',
            'reviewer_id': 'bigint',
            'status': 'text',
            'review_type': 'json',
            'created_at': 'timestamp',
            'updated_at': 'timestamp'
        }
    ) }}

),

renamed as (

    select
        -- ids
        element_id as review_id,
        id as story_id,
        project_id,
        element_review_type_id as review_type_id,
        element_reviewer_id as reviewer_id,

        -- text
        element_status as review_status,
        {{ json_text('element_review_type', 'name') }} as review_type_name,

        -- instants
        element_created_at as created_at,
        element_updated_at as updated_at,

        -- row
        record_source
    from reviews

)

select * from renamed
