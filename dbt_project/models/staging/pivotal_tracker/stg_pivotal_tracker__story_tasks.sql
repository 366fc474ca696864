{%- set repairs = [] -%}

with

source as (

    {{ raw_rows('stories') }}

),

tasks as (

    {{ unnest_json_list(
        from_cte='source',
        list_column='tasks',
        keep=['id', 'project_id', 'read_by', 'record_source', '_dlt_load_id'],
        fields={
            'id': 'bigint',
            'description': 'text',
            'position': 'text',
            'complete': 'text',
            'created_at': 'text',
            'updated_at': 'text'
        }
    ) }}

),

usable_tasks as (

    {{ one_per_key('tasks', 'story_tasks', 'element_updated_at') }}

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
        {{ repaired('element_position', none, repairs, 'bigint') }}
            as task_position,

        -- booleans
        {{ repaired('element_complete', none, repairs, 'boolean') }}
            as is_complete,

        -- instants
        {{ repaired('element_created_at', 'instant', repairs, 'timestamp') }}
            as created_at,
        {{ repaired('element_updated_at', 'instant', repairs, 'timestamp') }}
            as updated_at,

        -- row
        {{ repairs_shown(repairs) }} as repairs,
        record_source
    from usable_tasks

)

select * from renamed
