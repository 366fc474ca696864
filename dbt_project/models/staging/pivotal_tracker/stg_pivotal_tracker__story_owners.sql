with

source as (

    select * from {{ source('pivotal_tracker', 'stories') }}

),

owner_ids as (

    {{ unnest_json_list(
        from_cte='source',
        list_column='owner_ids',
        keep=['id', 'project_id', 'record_source'],
        element_type='bigint'
    ) }}

),

renamed as (

    select
        -- ids
        id as story_id,
        project_id,
        element as person_id,

        -- numbers
        element_index as owner_index,

        -- row
        record_source
    from owner_ids

)

select * from renamed
