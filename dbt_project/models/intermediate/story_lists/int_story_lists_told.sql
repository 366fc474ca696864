with

stories as (

    select * from {{ ref('int_stories') }}

),

records as (

    select * from {{ ref('stg_pivotal_tracker__stories') }}

),

deletions as (

    select * from {{ ref('int_story_deletions') }}

),

story_changes as (

    select * from {{ ref('int_story_changes') }}

),

-- The record that was read of a story has its lists, unless the story was deleted or
-- changed after as_of, or no record of it was read.
relevant_changes as (

    select
        story_changes.story_id,
        story_changes.original_story_values,
        story_changes.new_story_values,
        story_changes.stay_in_second,
        story_changes.project_id,
        story_changes.project_version,
        story_changes.change_index,
        story_changes.occurred_at <= stories.as_of as is_past,
        story_changes.occurred_at
    from story_changes
    left join records
        on story_changes.story_id = records.story_id
    inner join stories
        on story_changes.story_id = stories.story_id
    left join deletions
        on story_changes.story_id = deletions.story_id
    where
        records.story_id is null
        or deletions.story_id is not null
        or story_changes.occurred_at > stories.as_of

),

tellings as (

    {% for list_name in ['owner_ids', 'label_ids'] %}
    select
        story_id,
        '{{ list_name }}' as list_name,
        {{ json_text('original_story_values', list_name) }} as original_list,
        {{ json_text('new_story_values', list_name) }} as new_list,
        stay_in_second,
        project_id,
        project_version,
        change_index,
        is_past,
        occurred_at
    from relevant_changes
    where {{ json_has_key('new_story_values', list_name) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

ranked as (

    select
        *,
        row_number() over (
            partition by story_id, list_name, is_past
            order by
                occurred_at,
                stay_in_second,
                project_version,
                change_index,
                project_id
        ) as telling_number,
        count(*) over (partition by story_id, list_name, is_past) as telling_count
    from tellings

),

-- What the last change by as_of left; without one, what the next change replaced.
lists_at_as_of as (

    select
        story_id,
        list_name,
        coalesce(
            max(case when is_past and telling_number = telling_count then new_list end),
            max(case when not is_past and telling_number = 1 then original_list end)
        ) as list_at_as_of
    from ranked
    group by
        story_id,
        list_name

),

final as (

    select
        story_id,
        max(case when list_name = 'owner_ids' then list_at_as_of end) as owner_ids,
        max(case when list_name = 'label_ids' then list_at_as_of end) as label_ids
    from lists_at_as_of
    group by story_id

)

select * from final
