{%- set repairs = [] -%}

with

source as (

    {{ raw_rows('story_transitions') }}

),

stories as (

    {{ raw_rows('stories') }}

),

nested_transitions as (

    {{ unnest_json_list(
        from_cte='stories',
        list_column='transitions',
        keep=['id', 'project_id', 'read_by', 'record_source', '_dlt_load_id'],
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

nested as (

    select
        id as story_id,
        coalesce(element_project_id, project_id) as project_id,
        {{ repaired('element_performed_by_id', none, repairs, 'bigint') }}
            as performed_by_id,
        element_state as to_state,
        element_project_version as project_version,
        {{ repaired('element_occurred_at', 'instant', repairs, 'timestamp') }}
            as occurred_at,
        {{ repair_evidence(repairs) }} as repairs,
        record_source,
        _dlt_load_id as load_id
    from nested_transitions
    where {{ is_usable_element('story_nested_transitions') }}

),

ranked_nested as (

    select
        *,
        row_number() over (
            partition by project_id, project_version, story_id
            order by occurred_at desc, to_state asc
        ) as row_choice
    from nested

),

renamed as (

    select
        -- ids
        story_id,
        project_id,
        performed_by_id,

        -- text
        state as to_state,

        -- numbers
        project_version,
        confidence,

        -- booleans
        coalesce(is_date_only, false) as is_date_only,
        false as is_nested,

        -- instants
        occurred_at,

        -- row
        {{ as_text('null') }} as repairs,
        source_file,
        source_line,
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

    union all

    select
        story_id,
        project_id,
        performed_by_id,
        to_state,
        project_version,
        null as confidence,
        false as is_date_only,
        true as is_nested,
        occurred_at,
        repairs,
        null as source_file,
        null as source_line,
        null as extra_fields,
        record_source,
        load_id
    from ranked_nested
    where row_choice = 1

)

select * from renamed
