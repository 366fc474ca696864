with

stories as (

    select * from {{ ref('int_stories_last_known') }}

),

transitions as (

    select * from {{ ref('int_story_transitions_known') }}

),

final as (

    select
        transitions.story_id,
        transitions.project_id,
        transitions.performed_by_id,
        transitions.from_state,
        transitions.to_state,
        transitions.record_source,
        transitions.project_version,
        transitions.is_creation,
        transitions.accepted_at,
        transitions.occurred_at,
        row_number() over (
            partition by transitions.story_id
            order by
                transitions.occurred_at,
                transitions.project_version,
                transitions.project_id
        ) as known_number,
        count(*) over (partition by transitions.story_id) as known_count
    from transitions
    inner join stories
        on transitions.story_id = stories.story_id
    where
        stories.deleted_at is null
        or transitions.occurred_at <= stories.deleted_at

)

select * from final
