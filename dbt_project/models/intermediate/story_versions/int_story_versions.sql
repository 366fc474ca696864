{%- set attributes = [
    'project_id', 'name', 'story_type', 'estimate', 'label_ids', 'owner_ids'
] -%}

-- A table: each mart that speaks of a story as it was reads it.
{{ config(materialized='table') }}

with

as_of as (

    select * from {{ ref('int_as_of') }}

),

stories as (

    select * from {{ ref('int_stories') }}

),

attribute_changes as (

    select * from {{ ref('int_story_attribute_changes') }}

),

starts as (

    select
        story_id,
        {% for attribute in attributes %}
        max(attribute_value) filter (where attribute_name = '{{ attribute }}')
            as {{ attribute }},
        count(*) filter (where attribute_name = '{{ attribute }}')
            as {{ attribute }}_changes,
        {% endfor %}
        count(*) filter (where is_told) = 0 as is_inferred,
        changed_at as valid_from
    from attribute_changes
    group by
        story_id,
        changed_at

),

-- What does not change keeps the value of its last change: stretches between changes.
numbered as (

    select
        *,
        {% for attribute in attributes %}
        sum({{ attribute }}_changes) over (
            partition by story_id
            order by valid_from
        ) as {{ attribute }}_number,
        {% endfor %}
        row_number() over (partition by story_id order by valid_from)
            as version_number,
        lead(valid_from) over (partition by story_id order by valid_from)
            as next_valid_from
    from starts

),

filled as (

    select
        story_id,
        {% for attribute in attributes %}
        max({{ attribute }}) over (
            partition by story_id, {{ attribute }}_number
        ) as {{ attribute }},
        {% endfor %}
        version_number,
        is_inferred,
        valid_from,
        next_valid_from
    from numbered

),

final as (

    select
        filled.story_id,
        cast(filled.project_id as bigint) as project_id,
        filled.name as story_name,
        filled.story_type,
        filled.label_ids,
        filled.owner_ids,
        filled.version_number,
        cast(filled.estimate as decimal(18, 4)) as estimate,
        filled.next_valid_from is null as is_last,
        filled.is_inferred,
        filled.valid_from,
        coalesce(filled.next_valid_from, stories.deleted_at, as_of.as_of) as valid_to
    from filled
    inner join stories
        on filled.story_id = stories.story_id
    cross join as_of

)

select * from final
