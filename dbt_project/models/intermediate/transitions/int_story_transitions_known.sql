-- A table: ten models and tests come to it.
{{ config(materialized='table') }}

with

activity_changes as (

    select * from {{ ref('int_activity_changes') }}
    where is_state_change

),

-- Activities go first: they alone tell the state before, and still tell of a story
-- after its deletion, so that it does not matter when the warehouse was synced.
tellings as (

    select
        1 as telling_rank,
        change_index,
        resource_id as story_id,
        project_id,
        performed_by_id,
        from_state,
        to_state,
        'activity' as record_source,
        project_version,
        change_type = 'create' as is_creation,
        accepted_at,
        occurred_at
    from activity_changes

    {% for model in [
        'stg_pivotal_tracker__story_transitions',
        'stg_pivotal_tracker__story_nested_transitions'
    ] %}
    union all

    select
        {{ loop.index + 1 }} as telling_rank,
        0 as change_index,
        story_id,
        project_id,
        performed_by_id,
        null as from_state,
        to_state,
        record_source,
        project_version,
        false as is_creation,
        null as accepted_at,
        occurred_at
    from {{ ref(model) }}
    {% endfor %}

),

ranked as (

    select
        *,
        row_number() over (
            partition by project_id, project_version, story_id
            order by telling_rank asc, change_index desc
        ) as telling_number
    from tellings

),

final as (

    select
        story_id,
        project_id,
        performed_by_id,
        from_state,
        to_state,
        record_source,
        project_version,
        is_creation,
        accepted_at,
        occurred_at
    from ranked
    where telling_number = 1

)

select * from final
