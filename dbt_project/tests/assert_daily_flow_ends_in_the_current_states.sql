-- At as_of, the flow equals the open intervals, each with the story's project and
-- estimate at that time. A story without a known history counts in its current state.
with

stories as (

    select * from {{ ref('int_story_versions') }}
    where
        is_last
        and coalesce(story_type, '') != 'release'

),

open_states as (

    select
        story_id,
        {{ flow_state('story_state') }} as story_state
    from {{ ref('fct_story_state_interval') }}
    where is_open

    union all

    select
        story_id,
        {{ flow_state('current_state') }} as story_state
    from {{ ref('int_stories') }}
    where
        not is_history_known
        and not is_deleted
        and accepted_at is null

),

open_stories as (

    select
        stories.project_id,
        open_states.story_state,
        count(*) as story_count,
        coalesce(sum(stories.estimate), 0) as points
    from open_states
    inner join stories
        on open_states.story_id = stories.story_id
    group by
        stories.project_id,
        open_states.story_state

),

last_days as (

    select * from {{ ref('fct_flow_daily') }}
    where not is_complete

)

select
    last_days.project_id,
    last_days.story_state,
    last_days.story_count,
    open_stories.story_count as open_story_count,
    last_days.points,
    open_stories.points as open_points
from last_days
full outer join open_stories
    on
        last_days.project_id = open_stories.project_id
        and last_days.story_state = open_stories.story_state
where
    last_days.project_id is null
    or last_days.story_count != coalesce(open_stories.story_count, 0)
    or last_days.points != coalesce(open_stories.points, 0)
