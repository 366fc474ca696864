{%- set states = [
    'accepted', 'delivered', 'finished', 'started', 'rejected', 'planned', 'unstarted',
    'unscheduled'
] -%}

with

history_days as (

    select * from {{ ref('stg_pivotal_tracker__history_days') }}

),

flow_by_day as (

    select
        {% for state in states %}
        sum(case when story_state = '{{ state }}' then story_count end)
            as {{ state }}_count,
        sum(case when story_state = '{{ state }}' then points end)
            as {{ state }}_points,
        {% endfor %}
        project_id,
        flow_date
    from {{ ref('fct_flow_daily') }}
    group by
        project_id,
        flow_date

),

-- Tracker counts a story that was imported as accepted from its creation on.
imports as (

    select
        history_days.project_id,
        history_days.history_date,
        count(*) as story_count,
        sum(coalesce(versions.estimate, 0)) as points
    from history_days
    inner join {{ ref('int_project_settings') }} as project_settings
        on history_days.project_id = project_settings.project_id
    inner join {{ ref('int_story_versions') }} as versions
        on
            history_days.project_id = versions.project_id
            and versions.version_number = 1
    inner join {{ ref('int_story_state_intervals') }} as intervals
        on
            versions.story_id = intervals.story_id
            and intervals.story_state = 'accepted'
            and versions.valid_from > intervals.counted_from
    where
        coalesce(versions.story_type, '') != 'release'
        and history_days.history_date
        >= {{ local_date('intervals.counted_from', 'project_settings.time_zone') }}
        and history_days.history_date
        < {{ local_date('versions.valid_from', 'project_settings.time_zone') }}
    group by
        history_days.project_id,
        history_days.history_date

),

-- Of a day before our first or after our last one we have no figure.
with_figures as (

    select
        {% for state in states %}
        flow_by_day.{{ state }}_count,
        flow_by_day.{{ state }}_points,
        history_days.counts_{{ state }},
        history_days.points_{{ state }},
        {% endfor %}
        history_days.project_id,
        cast(null as bigint) as entity_id,
        history_days.project_id || '-' || history_days.history_date as entity_key,
        history_days.load_id,
        history_days.record_source,
        {{ as_instant('null') }} as stated_at,
        history_days.history_date,
        case
            when flow_by_day.flow_date is null then 'a day outside of fct_flow_daily'
        end as explanation,
        case
            when flow_by_day.flow_date is null then 'a day outside of fct_flow_daily'
            when imports.story_count is not null
                then 'imported as accepted: Tracker counts it from its creation'
        end as accepted_explanation,
        imports.story_count as imported_count,
        imports.points as imported_points
    from history_days
    left join flow_by_day
        on
            history_days.project_id = flow_by_day.project_id
            and history_days.history_date = flow_by_day.flow_date
    left join imports
        on
            history_days.project_id = imports.project_id
            and history_days.history_date = imports.history_date

),

{% set figures = [] -%}
{%- for state in states -%}
    {%- do figures.append((
        'counts_' ~ state, 'stories', state ~ '_count', 'counts_' ~ state, 0,
        'imported_count' if state == 'accepted' else 'null',
        'accepted_explanation' if state == 'accepted' else 'explanation'
    )) -%}
    {%- do figures.append((
        'points_' ~ state, 'points', state ~ '_points', 'points_' ~ state, 0,
        'imported_points' if state == 'accepted' else 'null',
        'accepted_explanation' if state == 'accepted' else 'explanation'
    )) -%}
{%- endfor -%}

final as (

    {{ figures_as_rows(
        'with_figures', 'day', figures, compared_date='history_date'
    ) }}

)

select * from final
