{#- An instant (timestamp with time zone) from text in ISO 8601; the session's zone is UTC. -#}
{% macro as_instant(expression) -%}
    {{ adapter.dispatch('as_instant')(expression) }}
{%- endmacro %}

{% macro default__as_instant(expression) -%}
    cast({{ expression }} as timestamp with time zone)
{%- endmacro %}

{% macro spark__as_instant(expression) -%}
    cast({{ expression }} as timestamp)
{%- endmacro %}

{% macro bigquery__as_instant(expression) -%}
    cast({{ expression }} as timestamp)
{%- endmacro %}
