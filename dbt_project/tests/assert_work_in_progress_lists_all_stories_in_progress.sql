-- The aging list has all stories in progress that are not deleted; their age is their
-- cycle time.
with

stories as (

    select * from {{ ref('dim_story') }}
    where
        is_in_progress
        and coalesce(story_type, '') != 'release'

),

cycle_times as (

    select * from {{ ref('fct_story_cycle_time') }}

),

ages as (

    select * from {{ ref('fct_wip_aging') }}

)

select
    stories.story_id as expected_story_id,
    ages.story_id,
    ages.age_seconds,
    cycle_times.cycle_time_seconds
from stories
full outer join ages
    on stories.story_id = ages.story_id
left join cycle_times
    on ages.story_id = cycle_times.story_id
where
    stories.story_id is null
    or ages.story_id is null
    or {{ differ('ages.age_seconds', 'cycle_times.cycle_time_seconds') }}
    or {{ differ('ages.open_blocker_count', 'stories.open_blocker_count') }}
