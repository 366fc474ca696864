{%- set kinds = ['comment', 'task', 'blocker', 'review'] -%}
{%- set values = [
    'person_id', 'review_type_id', 'part_text', 'to_status', 'part_position',
    'created_at', 'updated_at'
] -%}

-- A table: six models read it.
{{ config(materialized='table') }}

with

stories as (

    select * from {{ ref('int_stories') }}

),

epics as (

    select * from {{ ref('int_epics') }}

),

project_settings as (

    select * from {{ ref('int_projects') }}

),

records as (

    select * from {{ ref('stg_pivotal_tracker__stories') }}

),

epic_records as (

    select * from {{ ref('stg_pivotal_tracker__epics') }}

),

part_changes as (

    select
        resource_kind as part_kind,
        resource_id as part_id,
        part_story_id as story_id,
        case when part_story_id is null then part_epic_id end as epic_id,
        part_person_id as person_id,
        review_type_id,
        change_type,
        part_text,
        from_status,
        to_status,
        part_position,
        is_part_person_change as is_person_change,
        performed_by_id,
        project_id,
        order_in_second,
        project_version,
        change_index,
        part_created_at as created_at,
        part_updated_at as updated_at,
        occurred_at
    from {{ ref('int_activity_changes') }}
    where
        resource_kind in ('comment', 'task', 'blocker', 'review')
        and (part_story_id is not null or part_epic_id is not null)

),

story_parts as (

    select * from {{ ref('stg_pivotal_tracker__story_parts') }}

),

epic_comments as (

    select * from {{ ref('stg_pivotal_tracker__epic_comments') }}

),

-- The list that was loaded with a story is decisive up to its record_at, and that of
-- an epic altogether, because a comment does not change an epic's updated_at. Without a
-- list, or without the record, the parts are those in activities.
relevant_changes as (

    select part_changes.*
    from part_changes
    left join records
        on part_changes.story_id = records.story_id
    left join epic_records
        on part_changes.epic_id = epic_records.epic_id
    where
        (records.story_id is null and epic_records.epic_id is null)
        or not epic_records.has_comment_list
        or part_changes.occurred_at > records.record_at
        {% for kind in kinds %}
        or (part_changes.part_kind = '{{ kind }}' and not records.has_{{ kind }}_list)
        {% endfor %}

),

-- A change leaves what it does not mention as it was: each value has its own order.
ranked as (

    select
        *,
        {% for value in values %}
        row_number() over (
            partition by
                part_kind,
                part_id,
                case
                    when {{ 'is_person_change' if value == 'person_id'
                        else value ~ ' is not null' }} then 1
                    else 0
                end
            order by {{ order_of_changes(direction='desc') }}
        ) as {{ value }}_recency,
        {% endfor %}
        row_number() over (
            partition by part_kind, part_id
            order by {{ order_of_changes(direction='desc') }}
        ) as recency
    from relevant_changes

),

from_activities as (

    select
        part_kind,
        part_id,
        max(case when recency = 1 then story_id end) as story_id,
        max(case when recency = 1 then epic_id end) as epic_id,
        {% for value in values %}
        max(
            case
                when
                    {{ 'is_person_change' if value == 'person_id'
                        else value ~ ' is not null' }}
                    and {{ value }}_recency = 1
                    then {{ value }}
            end
        ) as {{ value }},
        {% endfor %}
        max(case when is_person_change then 1 else 0 end) as person_change_count,
        max(case when change_type = 'create' then performed_by_id end)
            as performed_by_id,
        min(case when change_type = 'create' then occurred_at end)
            as first_occurred_at,
        max(occurred_at) as last_occurred_at,
        max(case when change_type = 'delete' then occurred_at end) as deleted_at
    from ranked
    group by
        part_kind,
        part_id

),

listed_parts as (

    select
        part_kind,
        part_id,
        story_id,
        cast(null as bigint) as epic_id,
        person_id,
        review_type_id,
        review_type_name,
        part_text,
        part_status,
        part_position,
        record_source,
        created_at,
        updated_at
    from story_parts

    union all

    select
        'comment' as part_kind,
        comment_id as part_id,
        cast(null as bigint) as story_id,
        epic_id,
        person_id,
        cast(null as bigint) as review_type_id,
        {{ as_text('null') }} as review_type_name,
        comment_text as part_text,
        {{ as_text('null') }} as part_status,
        cast(null as bigint) as part_position,
        record_source,
        created_at,
        updated_at
    from epic_comments

),

known_parts as (

    select
        listed_parts.part_kind,
        listed_parts.part_id,
        listed_parts.story_id,
        listed_parts.epic_id,
        case
            when from_activities.person_change_count = 1
                then from_activities.person_id
            else listed_parts.person_id
        end as person_id,
        coalesce(from_activities.review_type_id, listed_parts.review_type_id)
            as review_type_id,
        listed_parts.review_type_name,
        coalesce(from_activities.part_text, listed_parts.part_text) as part_text,
        coalesce(from_activities.to_status, listed_parts.part_status)
            as part_status,
        coalesce(from_activities.part_position, listed_parts.part_position)
            as part_position,
        listed_parts.record_source,
        listed_parts.created_at,
        coalesce(from_activities.updated_at, listed_parts.updated_at) as updated_at,
        from_activities.deleted_at
    from listed_parts
    left join from_activities
        on
            listed_parts.part_kind = from_activities.part_kind
            and listed_parts.part_id = from_activities.part_id

    union all

    select
        from_activities.part_kind,
        from_activities.part_id,
        from_activities.story_id,
        from_activities.epic_id,
        case
            when from_activities.person_change_count = 1
                then from_activities.person_id
            when from_activities.part_kind in ('comment', 'blocker')
                then from_activities.performed_by_id
        end as person_id,
        from_activities.review_type_id,
        null as review_type_name,
        from_activities.part_text,
        from_activities.to_status as part_status,
        from_activities.part_position,
        'activity' as record_source,
        coalesce(from_activities.created_at, from_activities.first_occurred_at)
            as created_at,
        coalesce(from_activities.updated_at, from_activities.last_occurred_at)
            as updated_at,
        from_activities.deleted_at
    from from_activities
    left join listed_parts
        on
            from_activities.part_kind = listed_parts.part_kind
            and from_activities.part_id = listed_parts.part_id
    where listed_parts.part_id is null

),

status_changes as (

    select
        part_changes.*,
        part_changes.occurred_at <= stories.as_of as is_past
    from part_changes
    inner join stories
        on part_changes.story_id = stories.story_id
    where part_changes.to_status is not null

),

ranked_status_changes as (

    select
        *,
        row_number() over (
            partition by part_kind, part_id, is_past
            order by {{ order_of_changes() }}
        ) as change_number,
        count(*) over (
            partition by part_kind, part_id, is_past
        ) as change_count
    from status_changes

),

statuses as (

    select
        part_kind,
        part_id,
        max(case when is_past and change_number = change_count then to_status end)
            as last_status,
        max(case when not is_past and change_number = 1 then from_status end)
            as status_before_next_change,
        max(case when is_past then occurred_at end) as last_changed_at
    from ranked_status_changes
    group by
        part_kind,
        part_id

),

-- A record has the status of when it was read; the first change after as_of says what
-- it was before.
with_statuses as (

    select
        known_parts.*,
        coalesce(statuses.status_before_next_change, known_parts.part_status)
            as status_at_as_of,
        statuses.last_status,
        statuses.last_changed_at
    from known_parts
    left join statuses
        on
            known_parts.part_kind = statuses.part_kind
            and known_parts.part_id = statuses.part_id

),

with_hosts as (

    select
        with_statuses.*,
        coalesce(stories.project_id, epics.project_id) as project_id,
        coalesce(stories.is_deleted, epics.epic_id is null) as is_host_deleted,
        coalesce(stories.as_of, epics.as_of) as as_of
    from with_statuses
    left join stories
        on with_statuses.story_id = stories.story_id
    left join epics
        on with_statuses.epic_id = epics.epic_id

),

-- Comments, tasks, blockers and reviews of a deleted story or epic are deleted too.
final as (

    select
        with_hosts.part_kind,
        with_hosts.part_id,
        with_hosts.story_id,
        with_hosts.epic_id,
        with_hosts.project_id,
        with_hosts.person_id,
        with_hosts.review_type_id,
        with_hosts.review_type_name,
        with_hosts.part_text,
        with_hosts.status_at_as_of as part_status,
        with_hosts.part_position,
        not with_hosts.is_host_deleted
        and (
            with_hosts.created_at is null
            or with_hosts.created_at <= with_hosts.as_of
        )
        and (
            with_hosts.deleted_at is null
            or with_hosts.deleted_at > with_hosts.as_of
        ) as is_current,
        {{ local_date('with_hosts.created_at', 'project_settings.time_zone') }}
            as created_date,
        with_hosts.created_at,
        with_hosts.updated_at,
        case
            when with_hosts.last_status = with_hosts.status_at_as_of
                then with_hosts.last_changed_at
        end as status_changed_at
    from with_hosts
    left join project_settings
        on with_hosts.project_id = project_settings.project_id

)

select * from final
