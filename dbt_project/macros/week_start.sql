{#-
    The first day of the week that a calendar day lies in. week_start_day: English name
    of the weekday on which weeks begin; Monday when it is unknown.

    Counted from a Monday, as truncation to weeks gives Sundays on some engines.
-#}
{% macro week_start(calendar_date, week_start_day) -%}
    {%- set days = days_between("cast('0001-01-01' as date)", calendar_date) -%}
    {%- set after_start = days ~ ' + 7 - ' ~ days_after_monday(week_start_day) -%}
    {{ days_later(calendar_date, '0 - mod(' ~ after_start ~ ', 7)') }}
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
