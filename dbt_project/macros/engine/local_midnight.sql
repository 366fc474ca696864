{#- The instant at which a calendar day begins in a time zone (an Olson name). -#}
{% macro local_midnight(calendar_date, time_zone) -%}
    {{ adapter.dispatch('local_midnight')(calendar_date, time_zone) }}
{%- endmacro %}

{#- If clocks are set back across midnight, midnight occurs twice; the day begins at the first. -#}
{% macro default__local_midnight(calendar_date, time_zone) -%}
    {%- set midnight = 'timezone(' ~ time_zone ~ ', cast(' ~ calendar_date ~ ' as timestamp))' -%}
    {%- set hour_before = midnight ~ " - interval '1 hour'" -%}
    case
        when {{ local_date(hour_before, time_zone) }} = {{ calendar_date }}
            then {{ hour_before }}
        else {{ midnight }}
    end
{%- endmacro %}

{% macro spark__local_midnight(calendar_date, time_zone) -%}
    to_utc_timestamp(cast({{ calendar_date }} as timestamp), {{ time_zone }})
{%- endmacro %}

{% macro snowflake__local_midnight(calendar_date, time_zone) -%}
    timestamp_tz_from_parts(
        year({{ calendar_date }}), month({{ calendar_date }}), day({{ calendar_date }}),
        0, 0, 0, 0, {{ time_zone }}
    )
{%- endmacro %}

{% macro bigquery__local_midnight(calendar_date, time_zone) -%}
    timestamp({{ calendar_date }}, {{ time_zone }})
{%- endmacro %}
