with

source as (

    select * from {{ source('pivotal_tracker', 'stories') }}

),

labels as (

    {{ unnest_json_list(
        from_cte='source',
        list_column='labels',
        keep=['id', 'project_id', 'record_source'],
        fields={
            'id': 'bigint',
            'name': 'text'
        }
    ) }}

),

renamed as (

    select
        -- ids
        id as story_id,
        project_id,
        element_id as label_id,

        -- text
        element_name as label_name,

        -- numbers
        element_index as label_index,

        -- row
        record_source
    from labels

)

select * from renamed
