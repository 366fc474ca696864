with

source as (

    select * from {{ source('pivotal_tracker', 'iterations') }}

),

story_ids as (

    {{ unnest_json_list(
        from_cte='source',
        list_column='story_ids',
        keep=['project_id', 'number', 'record_source'],
        element_type='bigint'
    ) }}

),

renamed as (

    select
        -- ids
        project_id || '-' || number as iteration_key,
        project_id,
        number as iteration_number,
        element as story_id,

        -- numbers
        element_index as story_index,

        -- row
        record_source
    from story_ids

)

select * from renamed
