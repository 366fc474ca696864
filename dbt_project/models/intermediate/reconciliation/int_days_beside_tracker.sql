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
        history_days.history_date,
        case
            when flow_by_day.flow_date is null then 'a day outside of fct_flow_daily'
        end as explanation
    from history_days
    left join flow_by_day
        on
            history_days.project_id = flow_by_day.project_id
            and history_days.history_date = flow_by_day.flow_date

),

{% set figures = [] -%}
{%- for state in states -%}
    {%- do figures.append((
        'counts_' ~ state, 'stories', state ~ '_count', 'counts_' ~ state, 0, 'null',
        'explanation'
    )) -%}
    {%- do figures.append((
        'points_' ~ state, 'points', state ~ '_points', 'points_' ~ state, 0, 'null',
        'explanation'
    )) -%}
{%- endfor -%}

final as (

    {{ figures_as_rows(
        'with_figures', 'day', figures, compared_date='history_date'
    ) }}

)

select * from final
