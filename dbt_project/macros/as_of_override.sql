{#- The instant that the var `as_of` asks for; null when it is empty. -#}
{% macro as_of_override() -%}
    {%- set told = "'" ~ dbt.escape_single_quotes(var('as_of') | string) ~ "'" -%}
    {{ as_instant(told if var('as_of') else 'null') }}
{%- endmacro %}
