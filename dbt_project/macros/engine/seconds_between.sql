{#- The time from one instant to a later one in whole seconds (bigint), rounded down. -#}
{% macro seconds_between(from_instant, to_instant) -%}
    {{ adapter.dispatch('seconds_between')(from_instant, to_instant) }}
{%- endmacro %}

{% macro duckdb__seconds_between(from_instant, to_instant) -%}
    date_sub('second', {{ from_instant }}, {{ to_instant }})
{%- endmacro %}

{% macro postgres__seconds_between(from_instant, to_instant) -%}
    cast(trunc(extract(epoch from ({{ to_instant }} - {{ from_instant }}))) as bigint)
{%- endmacro %}

{% macro spark__seconds_between(from_instant, to_instant) -%}
    timestampdiff(second, {{ from_instant }}, {{ to_instant }})
{%- endmacro %}

{#- In microseconds, because datediff counts the boundaries that are crossed, not elapsed time. -#}
{% macro snowflake__seconds_between(from_instant, to_instant) -%}
    cast(
        trunc(datediff('microsecond', {{ from_instant }}, {{ to_instant }}) / 1000000.0)
        as bigint
    )
{%- endmacro %}

{% macro redshift__seconds_between(from_instant, to_instant) -%}
    {{ snowflake__seconds_between(from_instant, to_instant) }}
{%- endmacro %}

{% macro bigquery__seconds_between(from_instant, to_instant) -%}
    timestamp_diff({{ to_instant }}, {{ from_instant }}, second)
{%- endmacro %}
