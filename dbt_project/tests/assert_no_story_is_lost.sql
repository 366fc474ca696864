-- Every known story that was created by as_of has a row, and no other story has one.
with

stories as (

    select * from {{ ref('int_stories') }}
    where coalesce(story_type, '') != 'release'

),

cycle_times as (

    select * from {{ ref('fct_story_cycle_time') }}

)

select
    stories.story_id as expected_story_id,
    cycle_times.story_id
from stories
full outer join cycle_times
    on stories.story_id = cycle_times.story_id
where
    stories.story_id is null
    or cycle_times.story_id is null
