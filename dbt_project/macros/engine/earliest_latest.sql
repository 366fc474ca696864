{#- The earliest and the latest of some instants; those that are null do not count. -#}
{% macro earliest() -%}
    {{ adapter.dispatch('earliest')(varargs) }}
{%- endmacro %}

{% macro default__earliest(instants) -%}
    least({{ instants | join(', ') }})
{%- endmacro %}

{% macro snowflake__earliest(instants) -%}
    least_ignore_nulls({{ instants | join(', ') }})
{%- endmacro %}

{% macro bigquery__earliest(instants) -%}
    (select min(instant) from unnest([{{ instants | join(', ') }}]) as instant)
{%- endmacro %}


{% macro latest() -%}
    {{ adapter.dispatch('latest')(varargs) }}
{%- endmacro %}

{% macro default__latest(instants) -%}
    greatest({{ instants | join(', ') }})
{%- endmacro %}

{% macro snowflake__latest(instants) -%}
    greatest_ignore_nulls({{ instants | join(', ') }})
{%- endmacro %}

{% macro bigquery__latest(instants) -%}
    (select max(instant) from unnest([{{ instants | join(', ') }}]) as instant)
{%- endmacro %}
