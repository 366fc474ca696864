{#- Whole seconds from one instant to a later one (bigint): elapsed time, cut to the second. -#}
{% macro seconds_between(from_instant, to_instant) -%}
    {{ adapter.dispatch('seconds_between')(from_instant, to_instant) }}
{%- endmacro %}

{% macro duckdb__seconds_between(from_instant, to_instant) -%}
    date_sub('second', {{ from_instant }}, {{ to_instant }})
{%- endmacro %}

{% macro postgres__seconds_between(from_instant, to_instant) -%}
    cast(trunc(extract(epoch from ({{ to_instant }} - {{ from_instant }}))) as bigint)
{%- endmacro %}

{% macro spark__seconds_between(from_instant, to_instant) -%}
    timestampdiff(second, {{ from_instant }}, {{ to_instant }})
{%- endmacro %}
