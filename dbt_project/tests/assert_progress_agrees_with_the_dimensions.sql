-- An epic counts the same stories in both marts, and a faster pace never gives a later
-- date.
with

epic_progress as (

    select * from {{ ref('fct_epic_progress') }}

),

epics as (

    select * from {{ ref('dim_epic') }}

),

projections as (

    select * from {{ ref('int_plans') }}

)

select
    'epic' as target_kind,
    epics.epic_id as target_id
from epics
left join epic_progress
    on epics.epic_id = epic_progress.epic_id
where
    {{ differ('epics.story_count', 'epic_progress.story_count') }}
    or {{ differ('epics.accepted_story_count', 'epic_progress.accepted_story_count') }}

union all

select
    target_kind,
    target_id
from projections
where
    early_projected_date > projected_date
    or projected_date > late_projected_date
    or projected_date < as_of_date
