with

source as (

    {{ raw_rows('stories') }}

),

labels as (

    {{ unnest_json_list(
        from_cte='source',
        list_column='labels',
        keep=['id', 'project_id', 'record_source', '_dlt_load_id'],
        fields={
            'id': 'bigint',
            'name': 'text'
        }
    ) }}

),

usable_labels as (

    {{ one_per_key('labels', 'story_labels') }}

),

owners as (

    {{ unnest_json_list(
        from_cte='source',
        list_column='owner_ids',
        keep=['id', 'project_id', 'record_source', '_dlt_load_id'],
        element_type='bigint'
    ) }}

),

usable_owners as (

    {{ one_per_key('owners', 'story_owners') }}

),

renamed as (

    select
        -- ids
        id as story_id,
        project_id,
        element_id as item_id,

        -- text
        'label' as item_kind,
        element_name as item_name,

        -- numbers
        element_index as item_index,

        -- row
        record_source
    from usable_labels

    union all

    select
        id as story_id,
        project_id,
        element as item_id,
        'owner' as item_kind,
        null as item_name,
        element_index as item_index,
        record_source
    from usable_owners

)

select * from renamed
