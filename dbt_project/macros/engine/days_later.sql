{#- The calendar day a number of days (bigint) after another, or before it if negative. -#}
{% macro days_later(calendar_date, day_count) -%}
    {{ adapter.dispatch('days_later')(calendar_date, day_count) }}
{%- endmacro %}

{% macro default__days_later(calendar_date, day_count) -%}
    ({{ calendar_date }} + cast({{ day_count }} as integer))
{%- endmacro %}

{% macro spark__days_later(calendar_date, day_count) -%}
    date_add({{ calendar_date }}, cast({{ day_count }} as int))
{%- endmacro %}

{% macro snowflake__days_later(calendar_date, day_count) -%}
    cast(dateadd('day', {{ day_count }}, {{ calendar_date }}) as date)
{%- endmacro %}

{% macro bigquery__days_later(calendar_date, day_count) -%}
    date_add({{ calendar_date }}, interval {{ day_count }} day)
{%- endmacro %}
