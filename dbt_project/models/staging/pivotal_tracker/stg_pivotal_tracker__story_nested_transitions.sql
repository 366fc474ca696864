{%- set repairs = [] -%}

with

source as (

    {{ raw_rows('stories') }}

),

transitions as (

    {{ unnest_json_list(
        from_cte='source',
        list_column='transitions',
        keep=['id', 'project_id', 'read_by', 'record_source'],
        fields={
            'story_id': 'bigint',
            'project_id': 'bigint',
            'project_version': 'bigint',
            'state': 'text',
            'performed_by_id': 'text',
            'occurred_at': 'text'
        }
    ) }}

),

renamed as (

    select
        -- ids
        id as story_id,
        coalesce(element_project_id, project_id) as project_id,
        {{ repaired('element_performed_by_id', none, repairs, 'bigint') }}
            as performed_by_id,

        -- text
        element_state as to_state,

        -- numbers
        element_project_version as project_version,

        -- instants
        {{ repaired('element_occurred_at', 'instant', repairs, 'timestamp') }}
            as occurred_at,

        -- row
        {{ repairs_shown(repairs) }} as repairs,
        record_source
    from transitions

),

ranked as (

    select
        *,
        row_number() over (
            partition by project_id, project_version, story_id
            order by occurred_at desc, to_state asc
        ) as row_choice
    from renamed
    where
        project_version is not null
        and to_state is not null
        and occurred_at is not null

),

final as (

    select * from ranked
    where row_choice = 1

)

select * from final
