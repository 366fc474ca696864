{#-
    The first day of the week that a calendar day lies in. week_start_day: English name
    of the weekday on which weeks begin; Monday when it is unknown.
-#}
{% macro week_start(calendar_date, week_start_day) -%}
    {{ adapter.dispatch('week_start')(
        calendar_date, days_after_monday(week_start_day)
    ) }}
{%- endmacro %}

{#- Truncation to weeks gives Mondays: shift the day there and back. -#}
{% macro default__week_start(calendar_date, shift) -%}
    cast(date_trunc('week', {{ calendar_date }} - {{ shift }}) as date) + {{ shift }}
{%- endmacro %}

{% macro spark__week_start(calendar_date, shift) -%}
    date_add(
        cast(date_trunc('week', date_sub({{ calendar_date }}, {{ shift }})) as date),
        {{ shift }}
    )
{%- endmacro %}

{% macro bigquery__week_start(calendar_date, shift) -%}
    date_add(
        date_trunc(date_sub({{ calendar_date }}, interval {{ shift }} day), isoweek),
        interval {{ shift }} day
    )
{%- endmacro %}


{#- How many days a weekday comes after Monday: 0 to 6. -#}
{% macro days_after_monday(weekday_name) -%}
    case {{ weekday_name }}
        {%- for name in [
            'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'
        ] %}
        when '{{ name }}' then {{ loop.index }}
        {%- endfor %}
        else 0
    end
{%- endmacro %}


{#- The number of the ISO week that a calendar day lies in (bigint). -#}
{% macro iso_week(calendar_date) -%}
    {{ adapter.dispatch('iso_week')(calendar_date) }}
{%- endmacro %}

{% macro default__iso_week(calendar_date) -%}
    cast(extract(week from {{ calendar_date }}) as bigint)
{%- endmacro %}

{% macro bigquery__iso_week(calendar_date) -%}
    extract(isoweek from {{ calendar_date }})
{%- endmacro %}
