{#- A number as text. -#}
{% macro as_text(expression) -%}
    {{ adapter.dispatch('as_text')(expression) }}
{%- endmacro %}

{% macro default__as_text(expression) -%}
    cast({{ expression }} as varchar)
{%- endmacro %}

{% macro spark__as_text(expression) -%}
    cast({{ expression }} as string)
{%- endmacro %}


{#- An instant as text, in UTC: 2024-05-01 09:30:00+00. -#}
{% macro instant_as_text(expression) -%}
    {{ adapter.dispatch('instant_as_text')(expression) }}
{%- endmacro %}

{% macro default__instant_as_text(expression) -%}
    cast({{ expression }} as varchar)
{%- endmacro %}

{% macro spark__instant_as_text(expression) -%}
    cast({{ expression }} as string) || '+00'
{%- endmacro %}


{#- dbt calls it for a text in quotes: in Spark's, a backslash begins an escape. -#}
{% macro spark__escape_single_quotes(expression) -%}
    {{ expression | replace("\\", "\\\\") | replace("'", "\\'") }}
{%- endmacro %}
