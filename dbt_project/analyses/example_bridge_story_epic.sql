-- How much of an epic is accepted?
{{ config(enabled=is_built('plans')) }}
select
    epics.project_name,
    epics.epic_name,
    sum(cycle_times.estimate) as points,
    sum(case when cycle_times.is_accepted then cycle_times.estimate end)
        as accepted_points
from {{ ref('bridge_story_epic') }} as story_epics
inner join {{ ref('dim_epic') }} as epics
    on story_epics.epic_id = epics.epic_id
inner join {{ ref('fct_story_cycle_time') }} as cycle_times
    on story_epics.story_id = cycle_times.story_id
where not cycle_times.is_deleted
group by epics.project_name, epics.epic_name
order by epics.project_name, epics.epic_name
