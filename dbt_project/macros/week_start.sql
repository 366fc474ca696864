{#-
    The first day of the week that contains a calendar day.

    week_start_day: the English name of the weekday on which weeks begin; null means Monday

    Counts days from a Monday, because truncation to weeks gives Sundays on some engines.
-#}
{% macro week_start(calendar_date, week_start_day) -%}
    {%- set days = days_between("cast('0001-01-01' as date)", calendar_date) -%}
    {%- set after_start = days ~ ' + 7 - ' ~ days_after_monday(week_start_day) -%}
    {{ days_later(calendar_date, '0 - mod(' ~ after_start ~ ', 7)') }}
{%- endmacro %}

{#- The number of days from Monday to a weekday, 0 to 6. -#}
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
