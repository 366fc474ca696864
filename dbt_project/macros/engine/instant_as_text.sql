{#- An instant as text, in UTC: 2024-05-01 09:30:00+00. -#}
{% macro instant_as_text(expression) -%}
    {{ adapter.dispatch('instant_as_text')(expression) }}
{%- endmacro %}

{% macro default__instant_as_text(expression) -%}
    {{ as_text(expression) }}
{%- endmacro %}

{% macro spark__instant_as_text(expression) -%}
    cast({{ expression }} as string) || '+00'
{%- endmacro %}

{% macro snowflake__instant_as_text(expression) -%}
    to_char(convert_timezone('UTC', {{ expression }}), 'YYYY-MM-DD HH24:MI:SS') || '+00'
{%- endmacro %}
