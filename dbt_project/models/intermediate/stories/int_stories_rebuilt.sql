{%- set attributes = [
    'project_id', 'name', 'description', 'story_type', 'story_priority',
    'current_state', 'external_id', 'requested_by_id', 'owned_by_id', 'estimate',
    'deadline', 'accepted_at', 'created_at', 'updated_at'
] -%}

with

activity_changes as (

    select * from {{ ref('int_activity_changes') }}

),

deletions as (

    select * from {{ ref('int_story_deletions') }}

),

attributes as (

    select * from {{ ref('int_deleted_story_attributes') }}

),

creations as (

    select
        resource_id as story_id,
        min(occurred_at) as created_at
    from activity_changes
    where
        resource_kind = 'story'
        and change_type = 'create'
    group by resource_id

),

latest as (

    select
        story_id,
        {% for attribute in attributes %}
        max(case when attribute_name = '{{ attribute }}' then attribute_value end)
            as {{ attribute }},
        {% endfor %}
        count(*) as attribute_count
    from attributes
    group by story_id

),

-- Without its creation a story's values are known in part only: it is not rebuilt.
final as (

    select
        creations.story_id,
        coalesce(cast(latest.project_id as bigint), deletions.project_id)
            as project_id,
        cast(latest.requested_by_id as bigint) as requested_by_id,
        cast(latest.owned_by_id as bigint) as owned_by_id,
        latest.external_id,
        coalesce(deletions.story_name, latest.name) as story_name,
        latest.description as story_description,
        coalesce(deletions.story_type, latest.story_type) as story_type,
        latest.story_priority,
        latest.current_state,
        {{ as_decimal('latest.estimate') }} as estimate,
        {{ as_instant('latest.deadline') }} as deadline_at,
        {{ as_instant('latest.accepted_at') }} as accepted_at,
        coalesce({{ as_instant('latest.created_at') }}, creations.created_at)
            as created_at,
        {{ as_instant('latest.updated_at') }} as updated_at
    from creations
    inner join deletions
        on creations.story_id = deletions.story_id
    left join latest
        on creations.story_id = latest.story_id

)

select * from final
