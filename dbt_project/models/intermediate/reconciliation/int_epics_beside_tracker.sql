with

epics as (

    select * from {{ ref('stg_pivotal_tracker__epics') }}

),

-- Tracker's roll-ups of an epic leave releases out, unlike those of its label.
stories as (

    select * from {{ ref('int_stories') }}
    where not is_deleted and coalesce(story_type, '') != 'release'

),

story_epics as (

    select * from {{ ref('bridge_story_epic') }}

),

current_iterations as (

    select * from {{ ref('int_iterations') }}
    where is_current

),

past_done_by_epic as (

    select
        story_epics.epic_id,
        count(*) as story_count,
        sum(stories.estimate) as points,
        sum(case when coalesce(stories.estimate, 0) = 0 then 1 else 0 end)
            as no_point_story_count
    from story_epics
    inner join stories
        on story_epics.story_id = stories.story_id
    inner join current_iterations
        on stories.project_id = current_iterations.project_id
    where stories.accepted_at < current_iterations.starts_at
    group by story_epics.epic_id

),

with_figures as (

    select
        epics.project_id,
        epics.epic_id as entity_id,
        {{ as_text('epics.epic_id') }} as entity_key,
        epics.load_id,
        epics.record_source,
        epics.updated_at as stated_at,
        coalesce(past_done_by_epic.story_count, 0) as story_count,
        coalesce(past_done_by_epic.points, 0) as points,
        coalesce(past_done_by_epic.no_point_story_count, 0) as no_point_story_count,
        epics.tracker_past_done_stories_count,
        epics.tracker_past_done_story_estimates,
        epics.tracker_past_done_stories_no_point_count
    from epics
    left join past_done_by_epic
        on epics.epic_id = past_done_by_epic.epic_id

),

final as (

    {{ figures_as_rows('with_figures', 'epic', [
        (
            'past_done_stories_count', 'stories',
            'story_count', 'tracker_past_done_stories_count', 0
        ),
        (
            'past_done_story_estimates', 'points',
            'points', 'tracker_past_done_story_estimates', 0
        ),
        (
            'past_done_stories_no_point_count', 'stories',
            'no_point_story_count', 'tracker_past_done_stories_no_point_count', 0
        )
    ]) }}

)

select * from final
