{%- set attributes = [
    'project_id', 'requested_by_id', 'owned_by_id', 'external_id', 'story_name',
    'story_description', 'story_type', 'story_priority', 'current_state', 'estimate',
    'deadline_at', 'accepted_at', 'created_at', 'updated_at'
] -%}

with

stories as (

    select * from {{ ref('stg_pivotal_tracker__stories') }}

),

deletions as (

    select * from {{ ref('int_story_deletions') }}

),

rebuilt as (

    select * from {{ ref('int_stories_rebuilt') }}

),

story_ids as (

    select story_id from stories
    union all
    select deletions.story_id
    from deletions
    left join stories
        on deletions.story_id = stories.story_id
    where stories.story_id is null

),

-- Of a story that was deleted before anybody read it, its deletion tells name and type.
final as (

    select
        story_ids.story_id,
        {% for attribute in attributes %}
        case
            when rebuilt.story_id is not null then rebuilt.{{ attribute }}
            when stories.story_id is not null then stories.{{ attribute }}
            {%- if attribute in ['project_id', 'story_name', 'story_type'] %}
            else deletions.{{ attribute }}
            {%- endif %}
        end as {{ attribute }},
        {% endfor %}
        {% for attribute in ['url', 'source_file', 'source_line'] %}
        case when rebuilt.story_id is null then stories.{{ attribute }} end
            as {{ attribute }},
        {% endfor %}
        rebuilt.story_id is null
        and coalesce(stories.is_date_only, false) as is_date_only,
        case
            when deletions.story_id is not null then 'activity'
            when stories.is_deleted then coalesce(stories.delete_evidence, 'listing')
        end as delete_evidence,
        case
            when rebuilt.story_id is null and stories.story_id is not null
                then stories.record_source
            else 'activity'
        end as record_source,
        case
            when deletions.story_id is not null then deletions.deleted_at
            when stories.is_deleted then stories.deleted_at
        end as deleted_at
    from story_ids
    left join stories
        on story_ids.story_id = stories.story_id
    left join deletions
        on story_ids.story_id = deletions.story_id
    left join rebuilt
        on story_ids.story_id = rebuilt.story_id

)

select * from final
