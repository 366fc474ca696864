{{ config(enabled=is_built('reports')) }}
with

activities as (

    select * from {{ ref('fct_activity') }}
    where story_id is not null

),

stories as (

    select * from {{ ref('dim_story') }}

),

people as (

    select * from {{ ref('dim_person') }}

),

final as (

    select
        activities.activity_id,
        activities.project_id,
        activities.story_id,
        activities.performed_by_id,
        stories.story_name,
        stories.story_type,
        stories.current_state,
        people.person_name as performed_by_name,
        activities.activity_kind,
        activities.highlight,
        activities.change_count,
        activities.is_state_change,
        activities.occurred_date,
        activities.occurred_at
    from activities
    left join stories
        on activities.story_id = stories.story_id
    left join people
        on activities.performed_by_id = people.person_id

)

select * from final
