with

people as (

    {{ raw_rows('people') }}

),

memberships as (

    {{ raw_rows('memberships') }}

),

token_owners as (

    {{ raw_rows('me') }}

),

stories as (

    {{ raw_rows('stories') }}

),

story_owners as (

    {{ unnest_json_list(
        from_cte='stories',
        list_column='owners',
        keep=['id', 'read_by', 'record_source'],
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
        id as person_id,
        cast(null as bigint) as story_id,

        -- text
        'people' as named_in,
        name as person_name,
        initials,
        username,
        email,

        -- instants
        {{ as_instant('null') }} as updated_at,

        -- row
        record_source
    from people

    union all

    select
        person_id,
        null as story_id,
        'memberships' as named_in,
        {{ json_text('person', 'name') }} as person_name,
        {{ json_text('person', 'initials') }} as initials,
        {{ json_text('person', 'username') }} as username,
        {{ json_text('person', 'email') }} as email,
        {{ possible('updated_at', 'instant') }} as updated_at,
        record_source
    from memberships

    union all

    select
        id as person_id,
        null as story_id,
        'me' as named_in,
        name as person_name,
        initials,
        username,
        email,
        {{ possible('updated_at', 'instant') }} as updated_at,
        record_source
    from token_owners

    union all

    select
        element_id as person_id,
        id as story_id,
        'story_owners' as named_in,
        element_name as person_name,
        element_initials as initials,
        element_username as username,
        element_email as email,
        null as updated_at,
        record_source
    from story_owners

)

select * from renamed
