with

source as (

    select * from {{ source('pivotal_tracker', 'releases') }}

),

story_ids as (

    {{ unnest_json_list(
        from_cte='source',
        list_column='story_ids',
        keep=['id', 'project_id', 'record_source'],
        element_type='bigint'
    ) }}

),

renamed as (

    select
        -- ids
        id as release_id,
        project_id,
        element as story_id,

        -- numbers
        element_index as story_index,

        -- row
        record_source
    from story_ids

)

select * from renamed
