{#- A number or an instant as text. -#}
{% macro as_text(expression) -%}
    {{ adapter.dispatch('as_text')(expression) }}
{%- endmacro %}

{% macro default__as_text(expression) -%}
    cast({{ expression }} as varchar)
{%- endmacro %}

{% macro spark__as_text(expression) -%}
    cast({{ expression }} as string)
{%- endmacro %}
