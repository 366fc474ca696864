{%- set kinds = {
    'comment': {'person_id': 'text', 'text': 'text'},
    'task': {'description': 'text', 'position': 'text', 'complete': 'text'},
    'blocker': {'person_id': 'text', 'description': 'text', 'resolved': 'text'},
    'review': {
        'review_type_id': 'text', 'reviewer_id': 'text', 'status': 'text',
        'review_type': 'json'
    }
} -%}
{%- set no_text = as_text('null') -%}
{%- set no_number = 'cast(null as bigint)' -%}

with

source as (

    {{ raw_rows('stories') }}

),

{% for kind, fields in kinds.items() %}
{{ kind }}s as (

    {{ unnest_json_list(
        from_cte='source',
        list_column=kind ~ 's',
        keep=['id', 'project_id', 'read_by', 'record_source', '_dlt_load_id'],
        fields=dict(
            {'id': 'bigint', 'created_at': 'text', 'updated_at': 'text'}, **fields
        )
    ) }}

),

usable_{{ kind }}s as (

    {{ one_per_key(kind ~ 's', 'story_' ~ kind ~ 's', 'element_updated_at') }}

),

{% endfor %}
renamed as (

    {% for kind, fields in kinds.items() %}
    {% set repairs = [] %}
    {% set person = 'reviewer_id' if kind == 'review' else 'person_id' %}
    {% set status = {'task': 'complete', 'blocker': 'resolved'}.get(kind) %}
    select
        -- ids
        element_id as part_id,
        id as story_id,
        project_id,
        {{ repaired('element_review_type_id', none, repairs, 'bigint')
            if kind == 'review' else no_number }} as review_type_id,
        {{ repaired('element_' ~ person, none, repairs, 'bigint')
            if person in fields else no_number }} as person_id,

        -- numbers
        {{ repaired('element_position', none, repairs, 'bigint')
            if kind == 'task' else no_number }} as part_position,

        -- text
        '{{ kind }}' as part_kind,
        {{ 'element_text' if kind == 'comment'
            else 'element_description' if 'description' in fields
            else no_text }} as part_text,
        {% if status %}
        case {{ repaired('element_' ~ status, none, repairs, 'boolean') }}
            when true then 'true'
            when false then 'false'
        end as part_status,
        {% else %}
        {{ 'element_status' if kind == 'review' else no_text }} as part_status,
        {% endif %}
        {{ json_text('element_review_type', 'name') if kind == 'review'
            else no_text }} as review_type_name,

        -- instants
        {{ repaired('element_created_at', 'instant', repairs, 'timestamp') }}
            as created_at,
        {{ repaired('element_updated_at', 'instant', repairs, 'timestamp') }}
            as updated_at,

        -- row
        {{ repair_evidence(repairs) }} as repairs,
        record_source
    from usable_{{ kind }}s
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from renamed
