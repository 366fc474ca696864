{#- The median, ignoring nulls: the mean of the two middle values if their number is even. -#}
{% macro median(expression) -%}
    {{ adapter.dispatch('median')(expression) }}
{%- endmacro %}

{% macro default__median(expression) -%}
    percentile_cont(0.5) within group (order by {{ expression }})
{%- endmacro %}

{% macro duckdb__median(expression) -%}
    quantile_cont(cast({{ expression }} as double), 0.5)
{%- endmacro %}

{% macro spark__median(expression) -%}
    percentile({{ expression }}, 0.5)
{%- endmacro %}

{#- BigQuery's own aggregate is approximate: take the two middle values from a sorted list. -#}
{% macro bigquery__median(expression) -%}
    {%- set sorted = 'array_agg(' ~ expression ~ ' ignore nulls order by ' ~ expression ~ ')' -%}
    {%- set last = 'count(' ~ expression ~ ') - 1' -%}
    (
        cast({{ sorted }}[safe_offset(div({{ last }}, 2))] as float64)
        + {{ sorted }}[safe_offset(div({{ last }} + 1, 2))]
    ) / 2
{%- endmacro %}
