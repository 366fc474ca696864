{#- A number in double precision: ratios must not inherit the scale of a decimal. -#}
{% macro as_double(expression) -%}
    {{ adapter.dispatch('as_double')(expression) }}
{%- endmacro %}

{% macro default__as_double(expression) -%}
    cast({{ expression }} as double)
{%- endmacro %}

{% macro postgres__as_double(expression) -%}
    cast({{ expression }} as double precision)
{%- endmacro %}

{% macro bigquery__as_double(expression) -%}
    cast({{ expression }} as float64)
{%- endmacro %}
