-- Which changes were never read?
{{ config(enabled=is_built('trust')) }}
select
    projects.project_name,
    coverage.first_project_version,
    coverage.last_project_version,
    coverage.is_hole,
    coverage.first_at,
    coverage.last_at
from {{ ref('fct_history_coverage') }} as coverage
inner join {{ ref('dim_project') }} as projects
    on coverage.project_id = projects.project_id
where coverage.source_name = 'activities'
order by
    projects.project_name,
    coverage.first_project_version
