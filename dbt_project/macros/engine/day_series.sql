{#-
    A select with one row per calendar day (`calendar_date`) from a first to a last day,
    for use as the body of a CTE. from_cte holds the two days in one row; an empty range
    gives no rows.
-#}
{% macro day_series(from_cte, first_date, last_date) -%}
    {{ adapter.dispatch('day_series')(from_cte, first_date, last_date) }}
{%- endmacro %}

{% macro duckdb__day_series(from_cte, first_date, last_date) -%}
    select
        cast(
            unnest(
                generate_series({{ first_date }}, {{ last_date }}, interval 1 day)
            ) as date
        ) as calendar_date
    from {{ from_cte }}
{%- endmacro %}

{% macro postgres__day_series(from_cte, first_date, last_date) -%}
    select cast(days.calendar_date as date) as calendar_date
    from {{ from_cte }}
    cross join lateral generate_series(
        {{ first_date }}, {{ last_date }}, interval '1 day'
    ) as days (calendar_date)
{%- endmacro %}

{% macro spark__day_series(from_cte, first_date, last_date) -%}
    select
        explode(sequence({{ first_date }}, {{ last_date }}, interval 1 day))
            as calendar_date
    from {{ from_cte }}
    where {{ first_date }} <= {{ last_date }}
{%- endmacro %}
