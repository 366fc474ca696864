{%- set kinds = ['comment', 'task', 'blocker', 'review'] -%}

with

stories as (

    select * from {{ ref('int_stories') }}

),

records as (

    select * from {{ ref('stg_pivotal_tracker__stories') }}

),

-- A history file names a creation and none of its values. Grouped: a story is created
-- once, and both projects of a move may say so.
created_stories as (

    select resource_id as story_id
    from {{ ref('int_activity_changes') }}
    where
        resource_kind = 'story'
        and change_type = 'create'
        and {{ json_has_key('new_story_values', 'name') }}
    group by resource_id

),

changed_parts as (

    select
        {% for kind in kinds %}
        count(case when part_kind = '{{ kind }}' then 1 end)
            as {{ kind }}_change_count,
        {% endfor %}
        story_id
    from {{ ref('int_story_part_changes') }}
    group by story_id

),

parts as (

    {% for kind in kinds %}
    select
        story_id,
        '{{ kind }}' as part_kind,
        {{ {'task': 'is_complete', 'blocker': 'is_resolved'}.get(kind, 'true') }}
            as is_done
    from {{ ref('fct_' ~ kind) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

parts_by_story as (

    select
        story_id,
        {% for kind in kinds %}
        count(case when part_kind = '{{ kind }}' then 1 end) as {{ kind }}_count,
        {% endfor %}
        count(case when part_kind = 'task' and is_done then 1 end)
            as completed_task_count,
        count(case when part_kind = 'blocker' and not is_done then 1 end)
            as open_blocker_count
    from parts
    where story_id is not null
    group by story_id

),

-- A record that was read without a list says nothing about it, unless an activity does.
-- Activities that begin with the creation of a story know all of its lists.
with_knowledge as (

    select
        {% for kind in kinds %}
        stories.is_deleted
        or coalesce(records.has_{{ kind }}_list, false)
        or (records.story_id is null and created_stories.story_id is not null)
        or coalesce(changed_parts.{{ kind }}_change_count, 0) > 0
            as is_{{ kind }}_known,
        {% endfor %}
        stories.story_id
    from stories
    left join records
        on stories.story_id = records.story_id
    left join created_stories
        on stories.story_id = created_stories.story_id
    left join changed_parts
        on stories.story_id = changed_parts.story_id

),

final as (

    select
        {% for measure, kind in {
            'comment_count': 'comment', 'task_count': 'task',
            'completed_task_count': 'task', 'blocker_count': 'blocker',
            'open_blocker_count': 'blocker', 'review_count': 'review'
        }.items() %}
        case
            when with_knowledge.is_{{ kind }}_known
                then coalesce(parts_by_story.{{ measure }}, 0)
        end as {{ measure }},
        {% endfor %}
        with_knowledge.story_id
    from with_knowledge
    left join parts_by_story
        on with_knowledge.story_id = parts_by_story.story_id

)

select * from final
