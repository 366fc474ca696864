with

source as (

    {{ raw_rows('stories') }}

),

labels as (

    {{ unnest_json_list(
        from_cte='source',
        list_column='labels',
        keep=['id', 'project_id', 'read_by', 'record_source', '_dlt_load_id'],
        fields={
            'id': 'bigint',
            'name': 'text'
        }
    ) }}

),

usable_labels as (

    {{ one_per_key('labels', 'story_labels') }}

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
    from usable_labels

)

select * from renamed
