{%- set attributes = [
    'description', 'story_priority', 'current_state', 'external_id',
    'requested_by_id', 'estimate', 'deadline', 'accepted_at', 'created_at',
    'updated_at'
] -%}
{%- set columns = [
    'project_id', 'requested_by_id', 'external_id', 'story_name', 'story_description',
    'story_type', 'story_priority', 'current_state', 'url', 'source_file', 'estimate',
    'source_line', 'is_date_only', 'record_source', 'deadline_at', 'accepted_at', 'created_at', 'updated_at'
] -%}

-- A table: six models read it.
{{ config(materialized='table') }}

with

stories as (

    select * from {{ ref('stg_pivotal_tracker__stories') }}

),

all_story_changes as (

    select
        *,
        resource_name as story_name
    from {{ ref('int_activity_changes') }}
    where story_id is not null

),

ranked_deletions as (

    select
        *,
        row_number() over (
            partition by story_id order by {{ order_of_changes() }}
        ) as deletion_number
    from all_story_changes
    where change_type = 'delete'

),

deletions as (

    select
        story_id,
        story_name,
        story_type,
        occurred_at as deleted_at
    from ranked_deletions
    where deletion_number = 1

),

-- Changes after a story's deletion do not count.
story_changes as (

    select story_changes.*
    from all_story_changes as story_changes
    left join deletions
        on story_changes.story_id = deletions.story_id
    where
        deletions.story_id is null
        or story_changes.occurred_at <= deletions.deleted_at

),

projects_as_of as (

    select * from {{ ref('int_projects') }}

),

-- Stories of which some source gives transitions, however few.
stories_with_transitions as (

    select story_id
    from {{ ref('stg_pivotal_tracker__story_transitions') }}
    group by story_id

),

changed_stories as (

    select
        story_id,
        min(case when change_type = 'create' then occurred_at end) as created_at,
        max(case when to_state = 'accepted' then occurred_at end)
            as last_accepted_at,
        max(case when to_state is not null then occurred_at end)
            as last_state_at,
        max(case when change_type != 'delete' then occurred_at end) as updated_at
    from story_changes
    group by story_id

),

-- A story whose record was never read is made of its activities. So is a deleted one
-- whose creation they have: it is the same whether or not it was read before.
from_activities as (

    select
        changed_stories.*,
        deletions.story_name as deleted_name,
        deletions.story_type as deleted_type
    from changed_stories
    left join stories
        on changed_stories.story_id = stories.story_id
    left join deletions
        on changed_stories.story_id = deletions.story_id
    where
        stories.story_id is null
        or (deletions.story_id is not null and changed_stories.created_at is not null)

),

-- A record does not have what changed after it was read; a change after record_at that
-- it does have is the same in both.
relevant_changes as (

    select
        story_changes.*,
        row_number() over (
            partition by story_changes.story_id
            order by {{ order_of_changes('story_changes') }}
        ) as change_number
    from story_changes
    left join from_activities
        on story_changes.story_id = from_activities.story_id
    left join stories
        on story_changes.story_id = stories.story_id
    where
        from_activities.story_id is not null
        or (
            story_changes.change_type != 'delete'
            and story_changes.occurred_at > stories.record_at
        )

),

-- Each change names the story, and an update what it changed.
attribute_changes as (

    select
        story_id,
        'project_id' as attribute_name,
        coalesce(
            {{ activity_value_as_text('new_story_values', 'project_id') }},
            {{ as_text('project_id') }}
        ) as attribute_value,
        change_number
    from relevant_changes

    union all

    select
        story_id,
        'name' as attribute_name,
        coalesce({{ json_text('new_story_values', 'name') }}, story_name)
            as attribute_value,
        change_number
    from relevant_changes
    where
        story_name is not null
        or {{ json_has_key('new_story_values', 'name') }}

    union all

    select
        story_id,
        'story_type' as attribute_name,
        coalesce({{ json_text('new_story_values', 'story_type') }}, story_type)
            as attribute_value,
        change_number
    from relevant_changes
    where
        story_type is not null
        or {{ json_has_key('new_story_values', 'story_type') }}

    {% for attribute in attributes %}
    union all

    select
        story_id,
        '{{ attribute }}' as attribute_name,
        {{ activity_value_as_text('new_story_values', attribute) }} as attribute_value,
        change_number
    from relevant_changes
    where {{ json_has_key('new_story_values', attribute) }}
    {% endfor %}

),

ranked as (

    select
        *,
        row_number() over (
            partition by story_id, attribute_name order by change_number desc
        ) as recency
    from attribute_changes

),

last_values as (

    select
        {% for attribute in ['project_id', 'name', 'story_type'] + attributes %}
        max(case when attribute_name = '{{ attribute }}' then attribute_value end)
            as {{ attribute }},
        count(case when attribute_name = '{{ attribute }}' then 1 end) > 0
            as has_{{ attribute }},
        {% endfor %}
        story_id
    from ranked
    where recency = 1
    group by story_id

),

-- Of some stories only a comment or a task is known to have changed. A history file
-- does not say whether a comment is on a story or on an epic.
mentions as (

    select
        activities.primary_resource_id as story_id,
        activities.project_id,
        {{ json_text('activities.primary_resources', '[0].name') }} as story_name,
        {{ json_text('activities.primary_resources', '[0].story_type') }} as story_type,
        row_number() over (
            partition by activities.primary_resource_id
            order by activities.occurred_at desc, activities.project_version desc
        ) as recency
    from {{ ref('stg_pivotal_tracker__activities') }} as activities
    left join stories
        on activities.primary_resource_id = stories.story_id
    left join changed_stories
        on activities.primary_resource_id = changed_stories.story_id
    where
        activities.primary_resource_kind = 'story'
        and activities.record_source != 'history_csv'
        and stories.story_id is null
        and changed_stories.story_id is null

),

known_stories as (

    select
        stories.story_id,
        coalesce(cast(last_values.project_id as bigint), stories.project_id)
            as project_id,
        case
            when last_values.has_requested_by_id
                then cast(last_values.requested_by_id as bigint)
            else stories.requested_by_id
        end as requested_by_id,
        case
            when last_values.has_external_id then last_values.external_id
            else stories.external_id
        end as external_id,
        coalesce(last_values.name, stories.story_name) as story_name,
        case
            when last_values.has_description then last_values.description
            else stories.story_description
        end as story_description,
        coalesce(last_values.story_type, stories.story_type) as story_type,
        coalesce(last_values.story_priority, stories.story_priority)
            as story_priority,
        coalesce(last_values.current_state, stories.current_state)
            as current_state,
        stories.url,
        stories.source_file,
        case
            when last_values.has_estimate
                then {{ as_decimal('last_values.estimate') }}
            else stories.estimate
        end as estimate,
        stories.source_line,
        stories.is_date_only,
        stories.is_deleted as is_unlisted,
        stories.record_source = 'api' or stories.has_transition_list
            as has_transition_list,
        stories.delete_evidence,
        stories.record_source,
        case
            when last_values.has_deadline
                then {{ as_instant('last_values.deadline') }}
            else stories.deadline_at
        end as deadline_at,
        case
            when last_values.has_accepted_at
                then {{ as_instant('last_values.accepted_at') }}
            when last_values.current_state = 'accepted'
                then changed_stories.last_accepted_at
            else stories.accepted_at
        end as accepted_at,
        stories.created_at,
        coalesce(
            {{ as_instant('last_values.updated_at') }},
            case
                when last_values.story_id is not null
                    then changed_stories.updated_at
            end,
            stories.updated_at
        ) as updated_at,
        stories.record_at,
        stories.deleted_at as unlisted_at
    from stories
    left join from_activities
        on stories.story_id = from_activities.story_id
    left join last_values
        on stories.story_id = last_values.story_id
    left join changed_stories
        on stories.story_id = changed_stories.story_id
    where from_activities.story_id is null

    union all

    select
        from_activities.story_id,
        cast(last_values.project_id as bigint) as project_id,
        cast(last_values.requested_by_id as bigint) as requested_by_id,
        last_values.external_id,
        coalesce(from_activities.deleted_name, last_values.name) as story_name,
        last_values.description as story_description,
        coalesce(from_activities.deleted_type, last_values.story_type) as story_type,
        last_values.story_priority,
        last_values.current_state,
        null as url,
        null as source_file,
        {{ as_decimal('last_values.estimate') }} as estimate,
        null as source_line,
        false as is_date_only,
        false as is_unlisted,
        false as has_transition_list,
        null as delete_evidence,
        'activity' as record_source,
        {{ as_instant('last_values.deadline') }} as deadline_at,
        coalesce(
            {{ as_instant('last_values.accepted_at') }},
            case
                when last_values.current_state = 'accepted'
                    then from_activities.last_accepted_at
            end
        ) as accepted_at,
        coalesce(
            {{ as_instant('last_values.created_at') }}, from_activities.created_at
        ) as created_at,
        coalesce(
            {{ as_instant('last_values.updated_at') }}, from_activities.updated_at
        ) as updated_at,
        null as record_at,
        null as unlisted_at
    from from_activities
    inner join last_values
        on from_activities.story_id = last_values.story_id

    union all

    select
        story_id,
        project_id,
        null as requested_by_id,
        null as external_id,
        story_name,
        null as story_description,
        story_type,
        null as story_priority,
        null as current_state,
        null as url,
        null as source_file,
        null as estimate,
        null as source_line,
        false as is_date_only,
        false as is_unlisted,
        false as has_transition_list,
        null as delete_evidence,
        'activity' as record_source,
        null as deadline_at,
        null as accepted_at,
        null as created_at,
        null as updated_at,
        null as record_at,
        null as unlisted_at
    from mentions
    where recency = 1

),

-- A list of transitions can also be newer than everything else that is known.
ranked_transitions as (

    select
        transitions.story_id,
        transitions.to_state,
        transitions.occurred_at,
        row_number() over (
            partition by transitions.story_id
            order by transitions.occurred_at desc, transitions.project_version desc
        ) as recency
    from {{ ref('stg_pivotal_tracker__story_transitions') }} as transitions
    left join deletions
        on transitions.story_id = deletions.story_id
    where
        deletions.story_id is null
        or transitions.occurred_at <= deletions.deleted_at

),

later_transitions as (

    select
        known_stories.story_id,
        ranked_transitions.to_state as current_state,
        case
            when ranked_transitions.to_state = 'accepted'
                then ranked_transitions.occurred_at
        end as accepted_at
    from known_stories
    inner join ranked_transitions
        on
            known_stories.story_id = ranked_transitions.story_id
            and ranked_transitions.recency = 1
    left join changed_stories
        on known_stories.story_id = changed_stories.story_id
    where
        coalesce(
            ranked_transitions.occurred_at > changed_stories.last_state_at, true
        )
        and (
            known_stories.record_source = 'activity'
            or ranked_transitions.occurred_at > known_stories.record_at
        )

),

-- A story's as_of is that of the project that it is in now.
final as (

    select
        known_stories.story_id,
        {% for column in columns %}
        {% if column in ['current_state', 'accepted_at'] %}
        case
            when later_transitions.story_id is null then known_stories.{{ column }}
            else later_transitions.{{ column }}
        end as {{ column }},
        {% else %}
        known_stories.{{ column }},
        {% endif %}
        {% endfor %}
        known_stories.has_transition_list
        or changed_stories.last_state_at is not null
        or stories_with_transitions.story_id is not null as is_history_known,
        known_stories.record_source != 'activity'
        and deletions.story_id is null as is_record_last,
        known_stories.record_at,
        case
            when deletions.story_id is not null then 'activity'
            when known_stories.is_unlisted
                then coalesce(known_stories.delete_evidence, 'listing')
        end as delete_evidence,
        case
            when deletions.story_id is not null then deletions.deleted_at
            when known_stories.is_unlisted then known_stories.unlisted_at
        end as deleted_at,
        projects_as_of.as_of
    from known_stories
    left join deletions
        on known_stories.story_id = deletions.story_id
    left join projects_as_of
        on known_stories.project_id = projects_as_of.project_id
    left join changed_stories
        on known_stories.story_id = changed_stories.story_id
    left join stories_with_transitions
        on known_stories.story_id = stories_with_transitions.story_id
    left join later_transitions
        on known_stories.story_id = later_transitions.story_id

)

select * from final
