with

source as (

    {{ raw_rows('iterations') }}

),

story_ids as (

    {{ unnest_json_list(
        from_cte='source',
        list_column='story_ids',
        keep=['project_id', 'number', 'record_source', '_dlt_load_id'],
        element_type='bigint'
    ) }}

),

usable_story_ids as (

    {{ one_per_key('story_ids', 'iteration_stories') }}

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
    from usable_story_ids

),

final as (

    select * from renamed
    where {{ is_included(story_id='story_id') }}

)

select * from final
