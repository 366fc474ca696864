{#- The number of days from one calendar day to another (bigint). -#}
{% macro days_between(from_date, to_date) -%}
    {{ adapter.dispatch('days_between')(from_date, to_date) }}
{%- endmacro %}

{% macro default__days_between(from_date, to_date) -%}
    cast({{ to_date }} - ({{ from_date }}) as bigint)
{%- endmacro %}

{% macro spark__days_between(from_date, to_date) -%}
    cast(datediff({{ to_date }}, {{ from_date }}) as bigint)
{%- endmacro %}

{% macro bigquery__days_between(from_date, to_date) -%}
    date_diff({{ to_date }}, {{ from_date }}, day)
{%- endmacro %}
