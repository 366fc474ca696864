with

source as (

    {{ raw_rows('releases') }}

),

story_ids as (

    {{ unnest_json_list(
        from_cte='source',
        list_column='story_ids',
        keep=['id', 'project_id', 'read_by', 'record_source', '_dlt_load_id'],
        element_type='bigint'
    ) }}

),

usable_story_ids as (

    {{ one_per_key('story_ids', 'release_stories') }}

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
    from usable_story_ids

),

final as (

    select * from renamed
    where {{ is_included(story_id='story_id') }}

)

select * from final
