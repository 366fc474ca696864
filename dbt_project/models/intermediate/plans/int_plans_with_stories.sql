with

stories as (

    select * from {{ ref('int_stories') }}
    where
        not is_deleted
        and coalesce(story_type, '') != 'release'

),

story_epics as (

    select * from {{ ref('bridge_story_epic') }}

),

release_stories as (

    select * from {{ ref('int_releases_with_stories') }}

),

plan_stories as (

    select
        'epic' as target_kind,
        epic_id as target_id,
        story_id
    from story_epics

    union all

    select
        'release' as target_kind,
        release_id as target_id,
        story_id
    from release_stories

    union all

    -- The whole backlog of a project: all but the icebox.
    select
        'project' as target_kind,
        project_id as target_id,
        story_id
    from stories
    where coalesce(current_state, '') != 'unscheduled'

),

final as (

    select
        plan_stories.target_kind,
        plan_stories.target_id,
        plan_stories.story_id,
        stories.current_state,
        stories.estimate,
        coalesce(stories.current_state = 'accepted', false) as is_accepted,
        stories.accepted_at
    from plan_stories
    inner join stories
        on plan_stories.story_id = stories.story_id

)

select * from final
