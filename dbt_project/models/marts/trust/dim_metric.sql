{{ config(enabled=is_built('trust')) }}
{%- set texts = [
    'mart_name', 'metric_name', 'data_type', 'unit', 'formula', 'edge_rules', 'needs',
    'guarded_by'
] -%}

-- Each measure is defined once: in its column's description, which is in dbt's graph.
with

measures as (

    {% for measure in published_measures() %}
    select
        {% for text in texts %}
        '{{ dbt.escape_single_quotes(measure[text]) }}' as {{ text }},
        {% endfor %}
        true as is_measure
    union all
    {% endfor %}
    select
        {% for text in texts %}
        '' as {{ text }},
        {% endfor %}
        false as is_measure

),

final as (

    select
        mart_name || '.' || metric_name as metric_key,
        mart_name,
        metric_name,
        data_type,
        unit,
        formula,
        edge_rules,
        needs,
        guarded_by
    from measures
    where is_measure

)

select * from final
