{#- The instant that the variable `as_of` sets; null if it is empty. -#}
{% macro as_of_override() -%}
    {%- set literal = "'" ~ dbt.escape_single_quotes(var('as_of') | string) ~ "'" -%}
    {{ as_instant(literal if var('as_of') else 'null') }}
{%- endmacro %}
