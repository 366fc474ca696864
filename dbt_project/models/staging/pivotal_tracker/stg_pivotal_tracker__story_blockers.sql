{%- set repairs = [] -%}

with

source as (

    {{ raw_rows('stories') }}

),

blockers as (

    {{ unnest_json_list(
        from_cte='source',
        list_column='blockers',
        keep=['id', 'project_id', 'read_by', 'record_source', '_dlt_load_id'],
        fields={
            'id': 'bigint',
            'person_id': 'text',
            'description': 'text',
            'resolved': 'text',
            'created_at': 'text',
            'updated_at': 'text'
        }
    ) }}

),

usable_blockers as (

    {{ one_per_key('blockers', 'story_blockers', 'element_updated_at') }}

),

renamed as (

    select
        -- ids
        element_id as blocker_id,
        id as story_id,
        project_id,
        {{ repaired('element_person_id', none, repairs, 'bigint') }}
            as person_id,

        -- text
        element_description as blocker_description,

        -- booleans
        {{ repaired('element_resolved', none, repairs, 'boolean') }}
            as is_resolved,

        -- instants
        {{ repaired('element_created_at', 'instant', repairs, 'timestamp') }}
            as created_at,
        {{ repaired('element_updated_at', 'instant', repairs, 'timestamp') }}
            as updated_at,

        -- row
        {{ repairs_shown(repairs) }} as repairs,
        record_source
    from usable_blockers

)

select * from renamed
