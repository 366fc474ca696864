-- A warning, because Tracker may have had other kinds; dq_finding lists them too
-- (activity_kind_unknown).
{{ config(severity='warn') }}

select
    activity_kind,
    count(*) as activity_count
from {{ ref('stg_pivotal_tracker__activities') }}
where
    activity_kind not in (
        {%- for kind in known_activity_kinds() %}
        '{{ kind }}',
        {%- endfor %}
        'unparsed_history'
    )
group by activity_kind
