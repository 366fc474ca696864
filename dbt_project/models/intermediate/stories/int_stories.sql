-- A table: nearly every mart reads it. At 100,000 stories and 1.4 million activities
-- the core marts take 37 CPU seconds and 1.0 GB; with a view here, 43 and 1.5.
{{ config(materialized='table') }}

with

stories as (

    select * from {{ ref('int_stories_last_known') }}

),

project_settings as (

    select * from {{ ref('int_projects') }}

),

transitions as (

    select
        transitions.*,
        transitions.occurred_at <= stories.as_of as is_past
    from {{ ref('int_story_transitions_last_known') }} as transitions
    inner join stories
        on transitions.story_id = stories.story_id

),

with_neighbours as (

    select
        *,
        lag(is_past) over (partition by story_id order by transition_number)
            as is_previous_past,
        lead(is_past) over (partition by story_id order by transition_number)
            as is_next_past
    from transitions

),

-- Only for stories that moved on after as_of: the state that the last transition until
-- then led into, else the one that the first later one left. Others are as last known.
states_at_as_of as (

    select
        story_id,
        coalesce(
            max(case when is_past then to_state end),
            max(case when not is_past then recorded_from_state end)
        ) as current_state,
        max(case
            when is_past and to_state = 'accepted'
                then coalesce(accepted_at, occurred_at)
        end) as accepted_at
    from with_neighbours
    where
        (is_past and not is_next_past)
        or (not is_past and coalesce(is_previous_past, true))
    group by story_id

),

-- The record that was read of a story has its lists, unless the story was deleted, the
-- list was changed after the record or after as_of, or no record of it was read.
list_changes as (

    select
        story_changes.*,
        story_changes.occurred_at <= stories.as_of as is_past
    from {{ ref('int_activity_changes') }} as story_changes
    inner join stories
        on story_changes.story_id = stories.story_id
    where
        not stories.is_record_last
        or story_changes.occurred_at > stories.record_at
        or story_changes.occurred_at > stories.as_of

),

changed_lists as (

    {% for list_name in ['owner_ids', 'label_ids'] %}
    select
        story_id,
        '{{ list_name }}' as list_name,
        {{ activity_value('original_story_values', list_name) }} as original_list,
        {{ activity_value('new_story_values', list_name) }} as new_list,
        order_in_second,
        project_id,
        project_version,
        change_index,
        is_past,
        occurred_at
    from list_changes
    where {{ json_has_key('new_story_values', list_name) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

ranked_lists as (

    select
        *,
        row_number() over (
            partition by story_id, list_name, is_past
            order by {{ order_of_changes() }}
        ) as change_number,
        count(*) over (partition by story_id, list_name, is_past) as change_count
    from changed_lists

),

-- What the last change by as_of left; without one, what the next change replaced.
lists_at_as_of as (

    select
        story_id,
        list_name,
        coalesce(
            max(case when is_past and change_number = change_count then new_list end),
            max(case when not is_past and change_number = 1 then original_list end)
        ) as list_at_as_of
    from ranked_lists
    group by
        story_id,
        list_name

),

lists_by_story as (

    select
        story_id,
        max(case when list_name = 'owner_ids' then list_at_as_of end) as owner_ids,
        max(case when list_name = 'label_ids' then list_at_as_of end) as label_ids
    from lists_at_as_of
    group by story_id

),

at_as_of as (

    select
        stories.story_id,
        stories.project_id,
        stories.requested_by_id,
        stories.external_id,
        stories.story_name,
        stories.story_description,
        stories.story_type,
        stories.story_priority,
        case
            when states_at_as_of.story_id is null then stories.current_state
            else states_at_as_of.current_state
        end as current_state,
        stories.url,
        case when stories.deleted_at <= stories.as_of then stories.delete_evidence end
            as delete_evidence,
        stories.record_source,
        stories.source_file,
        stories.source_line,
        lists_by_story.owner_ids as activity_owner_ids,
        lists_by_story.label_ids as activity_label_ids,
        stories.estimate,
        coalesce(stories.deleted_at <= stories.as_of, false) as is_deleted,
        stories.is_date_only,
        stories.is_history_known,
        stories.is_record_last,
        stories.record_at,
        stories.deadline_at,
        case
            when states_at_as_of.story_id is not null
                then states_at_as_of.accepted_at
            when stories.current_state = 'accepted' then stories.accepted_at
        end as accepted_at,
        stories.created_at,
        stories.updated_at,
        case when stories.deleted_at <= stories.as_of then stories.deleted_at end
            as deleted_at,
        stories.as_of
    from stories
    left join states_at_as_of
        on stories.story_id = states_at_as_of.story_id
    left join lists_by_story
        on stories.story_id = lists_by_story.story_id
    where
        stories.created_at is null
        or stories.created_at <= stories.as_of

),

final as (

    select
        at_as_of.*,
        {{ local_date('at_as_of.accepted_at', 'project_settings.time_zone') }}
            as accepted_date,
        {{ local_date('at_as_of.created_at', 'project_settings.time_zone') }}
            as created_date
    from at_as_of
    left join project_settings
        on at_as_of.project_id = project_settings.project_id

)

select * from final
