with

stories as (

    select * from {{ ref('int_stories') }}

),

deletions as (

    select * from {{ ref('int_story_deletions') }}

),

label_ids_by_story as (

    select
        story_id,
        {{ joined_text(as_text('label_id')) }} as ids
    from {{ ref('stg_pivotal_tracker__story_labels') }}
    group by story_id

),

owner_ids_by_story as (

    select
        story_id,
        {{ joined_text(as_text('person_id')) }} as ids
    from {{ ref('stg_pivotal_tracker__story_owners') }}
    group by story_id

),

-- The record of a deleted story, if one was read, has its lists as of that reading; a
-- story of which only activities are known has none.
final as (

    {% for attribute, expression in {
        'project_id': as_text('stories.project_id'),
        'name': 'stories.story_name',
        'story_type': 'stories.story_type',
        'estimate': as_text(as_decimal('stories.estimate')),
        'label_ids': 'label_ids_by_story.ids',
        'owner_ids': 'owner_ids_by_story.ids'
    }.items() %}
    select
        stories.story_id,
        '{{ attribute }}' as attribute_name,
        {{ expression }} as attribute_value,
        {{ "deletions.story_id is null and stories.record_source != 'activity'"
            if 'ids' in attribute else 'true' }} as is_last
    from stories
    {% if 'ids' in attribute %}
    left join {{ attribute }}_by_story
        on stories.story_id = {{ attribute }}_by_story.story_id
    left join deletions
        on stories.story_id = deletions.story_id
    {% endif %}
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from final
