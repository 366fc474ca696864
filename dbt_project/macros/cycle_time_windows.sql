{#- The windows of fct_cycle_time_percentile: {name: days before as_of, none for no limit}. -#}
{% macro cycle_time_windows() -%}
    {{ return({'all_time': none, 'last_180_days': 180, 'last_90_days': 90}) }}
{%- endmacro %}
