{#- The calendar day that comes a number of days (bigint) after a day; before it, if negative. -#}
{% macro days_later(calendar_date, day_count) -%}
    {{ adapter.dispatch('days_later')(calendar_date, day_count) }}
{%- endmacro %}

{% macro default__days_later(calendar_date, day_count) -%}
    ({{ calendar_date }} + cast({{ day_count }} as integer))
{%- endmacro %}

{% macro spark__days_later(calendar_date, day_count) -%}
    date_add({{ calendar_date }}, cast({{ day_count }} as int))
{%- endmacro %}


{#- How many days (bigint) a day comes after another one; negative when it comes before. -#}
{% macro days_between(from_date, to_date) -%}
    {{ adapter.dispatch('days_between')(from_date, to_date) }}
{%- endmacro %}

{% macro default__days_between(from_date, to_date) -%}
    cast({{ to_date }} - {{ from_date }} as bigint)
{%- endmacro %}

{% macro spark__days_between(from_date, to_date) -%}
    cast(datediff({{ to_date }}, {{ from_date }}) as bigint)
{%- endmacro %}
