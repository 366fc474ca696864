{#- The instant that the var `as_of` asks for; null when it is empty. -#}
{% macro as_of_override() -%}
    {{ as_instant("'" ~ dbt.escape_single_quotes(var('as_of') | string) ~ "'") if var('as_of') else as_instant('null') }}
{%- endmacro %}
