-- How was the project set up a year ago?
{{ config(enabled=is_built('history')) }}
select
    versions.project_name,
    versions.iteration_length_weeks,
    versions.velocity_averaged_over,
    versions.point_scale,
    versions.is_automatic_planning,
    versions.valid_from
from {{ ref('dim_project_history') }} as versions
inner join {{ ref('dim_project') }} as projects
    on versions.project_id = projects.project_id
where
    {{ seconds_between('versions.valid_from', 'projects.as_of') }} >= 365 * 86400
    and {{ seconds_between('versions.valid_to', 'projects.as_of') }} < 365 * 86400
order by versions.project_name
