{%- set part_kinds = ['comment', 'task', 'blocker', 'review'] -%}

with

stories as (

    select * from {{ ref('int_stories') }}

),

records as (

    select * from {{ ref('stg_pivotal_tracker__stories') }}

),

projects as (

    select * from {{ ref('stg_pivotal_tracker__projects') }}

),

project_settings as (

    select * from {{ ref('int_projects') }}

),

people as (

    select * from {{ ref('int_people') }}

),

story_owners as (

    select * from {{ ref('bridge_story_owner') }}

),

story_labels as (

    select * from {{ ref('int_story_labels') }}

),

labels as (

    select * from {{ ref('int_labels') }}

),

epics as (

    select * from {{ ref('int_epics') }}

),

story_parts as (

    select * from {{ ref('int_story_parts') }}

),

attachments as (

    select * from {{ ref('stg_pivotal_tracker__attachments') }}

),

owner_names as (

    select
        story_owners.story_id,
        count(*) as owner_count,
        {{ joined_text('people.person_name') }} as owner_names
    from story_owners
    left join people
        on story_owners.person_id = people.person_id
    group by story_owners.story_id

),

label_names as (

    select
        story_labels.story_id,
        {{ joined_text('labels.label_name') }} as label_names
    from story_labels
    inner join labels
        on story_labels.label_id = labels.label_id
    group by story_labels.story_id

),

-- A story belongs to the epics of its project whose labels it has.
epic_names as (

    select
        story_labels.story_id,
        {{ joined_text('epics.epic_name') }} as epic_names
    from story_labels
    inner join epics
        on
            story_labels.label_id = epics.label_id
            and story_labels.project_id = epics.project_id
    group by story_labels.story_id

),

attachment_names as (

    select
        story_id,
        {{ free_text(joined_text('file_name')) }} as attachment_names
    from attachments
    where story_id is not null
    group by story_id

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

parts_by_story as (

    select
        {% for kind in part_kinds %}
        count(case when part_kind = '{{ kind }}' then 1 end) as known_{{ kind }}_count,
        count(case when part_kind = '{{ kind }}' and is_current then 1 end)
            as {{ kind }}_count,
        {% endfor %}
        count(case
            when part_kind = 'task' and part_status = 'true' and is_current then 1
        end) as completed_task_count,
        count(case
            when
                part_kind = 'blocker'
                and coalesce(part_status, '') != 'true'
                and is_current
                then 1
        end) as open_blocker_count,
        story_id
    from story_parts
    where story_id is not null
    group by story_id

),

-- A record that was read without a list says nothing about it, unless an activity does.
-- Activities that begin with the creation of a story contain all of its lists.
with_knowledge as (

    select
        {% for kind in part_kinds %}
        stories.is_deleted
        or coalesce(records.has_{{ kind }}_list, false)
        or (records.story_id is null and created_stories.story_id is not null)
        or coalesce(parts_by_story.known_{{ kind }}_count, 0) > 0
            as is_{{ kind }}_known,
        {% endfor %}
        coalesce(records.has_owner_list, false)
        or (not stories.is_record_last and created_stories.story_id is not null)
        or stories.activity_owner_ids is not null
            as is_owner_list_known,
        stories.story_id
    from stories
    left join records
        on stories.story_id = records.story_id
    left join created_stories
        on stories.story_id = created_stories.story_id
    left join parts_by_story
        on stories.story_id = parts_by_story.story_id

),

child_counts as (

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

),

final as (

    select
        stories.story_id,
        stories.project_id,
        stories.requested_by_id,
        projects.project_name,
        stories.story_name,
        stories.story_type,
        stories.story_priority,
        stories.current_state,
        people.person_name as requester_name,
        owner_names.owner_names,
        label_names.label_names,
        epic_names.epic_names,
        {{ free_text('stories.story_description') }} as story_description,
        attachment_names.attachment_names,
        stories.url,
        stories.external_id,
        stories.delete_evidence,
        stories.record_source,
        stories.source_file,
        stories.source_line,
        stories.estimate,
        case
            when with_knowledge.is_owner_list_known
                then coalesce(owner_names.owner_count, 0)
            else owner_names.owner_count
        end as owner_count,
        {% for child_count in [
            'comment_count', 'task_count', 'completed_task_count', 'blocker_count',
            'open_blocker_count', 'review_count'
        ] %}
        child_counts.{{ child_count }},
        {% endfor %}
        case
            when stories.current_state != 'accepted' and not stories.is_deleted
                then {{ days_between(
                    local_date('stories.created_at', 'project_settings.time_zone'),
                    local_date('stories.as_of', 'project_settings.time_zone')
                ) }}
        end as open_age_days,
        stories.current_state in {{ in_progress_states() }}
        and not stories.is_deleted as is_in_progress,
        stories.current_state = 'accepted' as is_accepted,
        stories.is_deleted,
        stories.is_date_only,
        stories.is_history_known,
        stories.story_id < 0 as is_id_made,
        stories.accepted_date,
        stories.created_date,
        stories.deadline_at,
        stories.accepted_at,
        stories.created_at,
        stories.updated_at,
        stories.deleted_at
    from stories
    left join project_settings
        on stories.project_id = project_settings.project_id
    left join projects
        on stories.project_id = projects.project_id
    left join people
        on stories.requested_by_id = people.person_id
    left join owner_names
        on stories.story_id = owner_names.story_id
    left join label_names
        on stories.story_id = label_names.story_id
    left join epic_names
        on stories.story_id = epic_names.story_id
    left join with_knowledge
        on stories.story_id = with_knowledge.story_id
    left join child_counts
        on stories.story_id = child_counts.story_id
    left join attachment_names
        on stories.story_id = attachment_names.story_id

)

select * from final
