with

stories as (

    select * from {{ ref('int_stories') }}

),

projects as (

    select * from {{ ref('stg_pivotal_tracker__projects') }}

),

project_settings as (

    select * from {{ ref('int_project_settings') }}

),

people as (

    select * from {{ ref('dim_person') }}

),

owner_names as (

    select * from {{ ref('int_stories_with_owner_names') }}

),

label_names as (

    select * from {{ ref('int_stories_with_label_names') }}

),

epic_names as (

    select * from {{ ref('int_stories_with_epic_names') }}

),

child_counts as (

    select * from {{ ref('int_stories_with_child_counts') }}

),

attachments as (

    select * from {{ ref('stg_pivotal_tracker__attachments') }}

),

attachment_names as (

    select
        story_id,
        {{ free_text(joined_text('file_name')) }} as attachment_names
    from attachments
    where story_id is not null
    group by story_id

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
        coalesce(owner_names.owner_count, 0) as owner_count,
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
        coalesce(stories.current_state in {{ in_progress_states() }}, false)
        and not stories.is_deleted as is_in_progress,
        coalesce(stories.current_state = 'accepted', false) as is_accepted,
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
    left join child_counts
        on stories.story_id = child_counts.story_id
    left join attachment_names
        on stories.story_id = attachment_names.story_id

)

select * from final
