-- A table: plans and memberships read it.
{{ config(materialized='table') }}

with

-- An inferred first interval is no recorded state: it counts in daily flow only.
intervals as (

    select * from {{ ref('int_story_state_intervals') }}
    where not is_inferred

),

versions as (

    select * from {{ ref('int_story_versions') }}

),

stories as (

    select * from {{ ref('int_stories') }}
    where coalesce(story_type, '') != 'release'

),

-- Consecutive versions in one project are one period: both numbers grow by one there.
numbered_versions as (

    select
        *,
        version_number - row_number() over (
            partition by story_id, project_id
            order by version_number
        ) as period_number
    from versions

),

project_periods as (

    select
        story_id,
        project_id,
        min(version_number) = 1 as is_first,
        min(valid_from) as valid_from,
        max(valid_to) as valid_to
    from numbered_versions
    group by
        story_id,
        project_id,
        period_number

),

-- When the story is next taken up after an interval, or accepted outright.
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
-- each instant lies in one of them; an import that was accepted before its creation was
-- in the first one.
final as (

    select
        with_next_work.story_id,
        project_periods.project_id,
        with_next_work.story_state,
        with_next_work.next_worked_at,
        with_next_work.first_known_at,
        stories.created_at,
        with_next_work.accepted_at,
        case
            when project_periods.is_first then with_next_work.counted_from
            else {{ latest(
                'with_next_work.counted_from', 'project_periods.valid_from'
            ) }}
        end as entered_at,
        {{ earliest('with_next_work.counted_until', 'project_periods.valid_to') }}
            as left_at
    from with_next_work
    inner join stories
        on with_next_work.story_id = stories.story_id
    inner join project_periods
        on
            with_next_work.story_id = project_periods.story_id
            and with_next_work.counted_from < project_periods.valid_to
            and (
                with_next_work.counted_until > project_periods.valid_from
                or project_periods.is_first
            )

)

select * from final
