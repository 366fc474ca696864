with

source as (

    {{ raw_rows('stories') }}

),

owner_ids as (

    {{ unnest_json_list(
        from_cte='source',
        list_column='owner_ids',
        keep=['id', 'project_id', 'read_by', 'record_source', '_dlt_load_id'],
        element_type='bigint'
    ) }}

),

usable_owner_ids as (

    {{ one_per_key('owner_ids', 'story_owners') }}

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
    from usable_owner_ids

)

select * from renamed
