{#- dbt calls these macros for string literals, in which these engines treat \ as an escape. -#}
{% macro spark__escape_single_quotes(expression) -%}
    {{ expression | replace("\\", "\\\\") | replace("'", "\\'") }}
{%- endmacro %}

{% macro snowflake__escape_single_quotes(expression) -%}
    {{ spark__escape_single_quotes(expression) }}
{%- endmacro %}

{% macro bigquery__escape_single_quotes(expression) -%}
    {{ spark__escape_single_quotes(expression) }}
{%- endmacro %}
