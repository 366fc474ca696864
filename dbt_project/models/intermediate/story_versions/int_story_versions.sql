{%- set attributes = [
    'project_id', 'name', 'story_type', 'estimate', 'label_ids', 'owner_ids'
] -%}

-- A table: each mart that speaks of a story as it was reads it.
{{ config(materialized='table') }}

with

stories as (

    select * from {{ ref('int_stories') }}

),

attribute_changes as (

    select * from {{ ref('int_story_attribute_changes') }}

),

{{ version_ctes('attribute_changes', 'story_id', attributes) }},

final as (

    select
        filled.story_id,
        cast(filled.project_id as bigint) as project_id,
        filled.name as story_name,
        filled.story_type,
        filled.label_ids,
        filled.owner_ids,
        filled.version_number,
        {{ as_decimal('filled.estimate') }} as estimate,
        filled.next_valid_from is null as is_last,
        filled.is_inferred,
        filled.valid_from,
        coalesce(filled.next_valid_from, stories.deleted_at, stories.as_of) as valid_to
    from filled
    inner join stories
        on filled.story_id = stories.story_id

)

select * from final
