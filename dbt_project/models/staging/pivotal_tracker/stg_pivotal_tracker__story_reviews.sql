{%- set repairs = [] -%}

with

source as (

    {{ raw_rows('stories') }}

),

reviews as (

    {{ unnest_json_list(
        from_cte='source',
        list_column='reviews',
        keep=['id', 'project_id', 'read_by', 'record_source', '_dlt_load_id'],
        fields={
            'id': 'bigint',
            'review_type_id': 'text',
            'reviewer_id': 'text',
            'status': 'text',
            'review_type': 'json',
            'created_at': 'text',
            'updated_at': 'text'
        }
    ) }}

),

usable_reviews as (

    {{ one_per_key('reviews', 'story_reviews', 'element_updated_at') }}

),

renamed as (

    select
        -- ids
        element_id as review_id,
        id as story_id,
        project_id,
        {{ repaired('element_review_type_id', none, repairs, 'bigint') }}
            as review_type_id,
        {{ repaired('element_reviewer_id', none, repairs, 'bigint') }}
            as reviewer_id,

        -- text
        element_status as review_status,
        {{ json_text('element_review_type', 'name') }} as review_type_name,

        -- instants
        {{ repaired('element_created_at', 'instant', repairs, 'timestamp') }}
            as created_at,
        {{ repaired('element_updated_at', 'instant', repairs, 'timestamp') }}
            as updated_at,

        -- row
        {{ repairs_shown(repairs) }} as repairs,
        record_source
    from usable_reviews

)

select * from renamed
