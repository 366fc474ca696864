-- What can be known of each project, and what would it take to know more?
{{ config(enabled=is_built('reports')) }}
select
    project_name,
    record_sources,
    missing,
    remedies
from {{ ref('rpt_data_coverage') }}
order by project_name
