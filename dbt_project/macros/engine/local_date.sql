{#- The calendar day of an instant in a time zone (an Olson name). -#}
{% macro local_date(instant, time_zone) -%}
    {{ adapter.dispatch('local_date')(instant, time_zone) }}
{%- endmacro %}

{% macro default__local_date(instant, time_zone) -%}
    cast(timezone({{ time_zone }}, {{ instant }}) as date)
{%- endmacro %}

{#- Spark's session runs in UTC, so the shifted instant shows the zone's wall clock. -#}
{% macro spark__local_date(instant, time_zone) -%}
    cast(from_utc_timestamp({{ instant }}, {{ time_zone }}) as date)
{%- endmacro %}

{% macro snowflake__local_date(instant, time_zone) -%}
    cast(convert_timezone({{ time_zone }}, {{ instant }}) as date)
{%- endmacro %}

{% macro bigquery__local_date(instant, time_zone) -%}
    date({{ instant }}, {{ time_zone }})
{%- endmacro %}
