{%- set repairs = [] -%}

with

source as (

    {{ raw_rows('epics') }}

),

comments as (

    {{ unnest_json_list(
        from_cte='source',
        list_column='comments',
        keep=['id', 'project_id', 'read_by', 'record_source', '_dlt_load_id'],
        fields={
            'id': 'bigint',
            'person_id': 'text',
            'text': 'text',
            'created_at': 'text',
            'updated_at': 'text'
        }
    ) }}

),

usable_comments as (

    {{ one_per_key('comments', 'epic_comments', 'element_updated_at') }}

),

renamed as (

    select
        -- ids
        element_id as comment_id,
        id as epic_id,
        project_id,
        {{ repaired('element_person_id', none, repairs, 'bigint') }}
            as person_id,

        -- text
        element_text as comment_text,

        -- instants
        {{ repaired('element_created_at', 'instant', repairs, 'timestamp') }}
            as created_at,
        {{ repaired('element_updated_at', 'instant', repairs, 'timestamp') }}
            as updated_at,

        -- row
        {{ repair_evidence(repairs) }} as repairs,
        record_source
    from usable_comments

)

select * from renamed
