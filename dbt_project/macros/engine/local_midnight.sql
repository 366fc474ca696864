{#- The instant at which a calendar day begins in a time zone, given by its Olson name. -#}
{% macro local_midnight(calendar_date, time_zone) -%}
    {{ adapter.dispatch('local_midnight')(calendar_date, time_zone) }}
{%- endmacro %}

{% macro default__local_midnight(calendar_date, time_zone) -%}
    timezone({{ time_zone }}, cast({{ calendar_date }} as timestamp))
{%- endmacro %}

{% macro spark__local_midnight(calendar_date, time_zone) -%}
    to_utc_timestamp(cast({{ calendar_date }} as timestamp), {{ time_zone }})
{%- endmacro %}
