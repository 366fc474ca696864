with

source as (

    {{ raw_rows('stories') }}

),

owners as (

    {{ unnest_json_list(
        from_cte='source',
        list_column='owners',
        keep=['id', 'project_id', 'record_source'],
        fields={
            'id': 'bigint',
            'name': 'text',
            'initials': 'text',
            'username': 'text',
            'email': 'text'
        }
    ) }}

),

renamed as (

    select
        -- ids
        id as story_id,
        project_id,
        element_id as person_id,

        -- text
        element_name as person_name,
        element_initials as initials,
        element_username as username,
        element_email as email,

        -- numbers
        element_index as owner_index,

        -- row
        record_source
    from owners

)

select * from renamed
