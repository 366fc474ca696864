-- What does the data of each project contain, and how can more be added?
{{ config(enabled=is_built('reports')) }}
select
    project_name,
    record_sources,
    missing,
    remedies
from {{ ref('rpt_data_coverage') }}
order by project_name
