-- A table: backlogs and memberships read it.
{{ config(materialized='table') }}

with

-- Of an inferred first interval nobody knows that it was so: daily flow only has it.
intervals as (

    select * from {{ ref('int_story_state_intervals') }}
    where not is_inferred

),

project_stays as (

    select * from {{ ref('int_story_project_stays') }}

),

stories as (

    select * from {{ ref('int_stories') }}
    where coalesce(story_type, '') != 'release'

),

-- When the story is next taken up after it, or accepted outright.
with_next_work as (

    select
        story_id,
        interval_number,
        story_state,
        accepted_at,
        counted_from,
        counted_until,
        min(case
            when story_state in {{ in_progress_states() }} or story_state = 'accepted'
                then counted_from
        end) over (
            partition by story_id
            order by interval_number
            rows between 1 following and unbounded following
        ) as next_worked_at,
        min(counted_from) over (partition by story_id) as first_known_at
    from intervals

),

-- A move between projects splits an interval in two. The periods in projects tile, so
-- each instant meets one of them; an import that was accepted before its creation was
-- in the first one.
final as (

    select
        with_next_work.story_id,
        project_stays.project_id,
        with_next_work.story_state,
        with_next_work.next_worked_at,
        with_next_work.first_known_at,
        stories.created_at,
        with_next_work.accepted_at,
        case
            when project_stays.is_first then with_next_work.counted_from
            else {{ latest('with_next_work.counted_from', 'project_stays.valid_from') }}
        end as entered_at,
        {{ earliest('with_next_work.counted_until', 'project_stays.valid_to') }}
            as left_at
    from with_next_work
    inner join stories
        on with_next_work.story_id = stories.story_id
    inner join project_stays
        on
            with_next_work.story_id = project_stays.story_id
            and with_next_work.counted_from < project_stays.valid_to
            and (
                with_next_work.counted_until > project_stays.valid_from
                or project_stays.is_first
            )

)

select * from final
