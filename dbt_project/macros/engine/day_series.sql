{#-
    One row per calendar day (`calendar_date`) from a first to a last day, for each row of from_cte,
    as the body of a CTE. An empty range gives no rows.

    keep: the columns of from_cte to include
-#}
{% macro day_series(from_cte, first_date, last_date, keep=[]) -%}
    {{ adapter.dispatch('day_series')(from_cte, first_date, last_date, keep) }}
{%- endmacro %}

{% macro duckdb__day_series(from_cte, first_date, last_date, keep) -%}
    select
        {%- for column in keep %}
        {{ column }},
        {%- endfor %}
        cast(
            unnest(
                generate_series({{ first_date }}, {{ last_date }}, interval 1 day)
            ) as date
        ) as calendar_date
    from {{ from_cte }}
{%- endmacro %}

{% macro postgres__day_series(from_cte, first_date, last_date, keep) -%}
    select
        {%- for column in keep %}
        {{ from_cte }}.{{ column }},
        {%- endfor %}
        cast(days.calendar_date as date) as calendar_date
    from {{ from_cte }}
    cross join lateral generate_series(
        {{ first_date }}, {{ last_date }}, interval '1 day'
    ) as days (calendar_date)
{%- endmacro %}

{% macro spark__day_series(from_cte, first_date, last_date, keep) -%}
    select
        {%- for column in keep %}
        {{ column }},
        {%- endfor %}
        explode(sequence({{ first_date }}, {{ last_date }}, interval 1 day))
            as calendar_date
    from {{ from_cte }}
    where {{ first_date }} <= {{ last_date }}
{%- endmacro %}

{% macro snowflake__day_series(from_cte, first_date, last_date, keep) -%}
    select
        {%- for column in keep %}
        {{ from_cte }}.{{ column }},
        {%- endfor %}
        {{ days_later(first_date, 'days.value') }} as calendar_date
    from {{ from_cte }}
    cross join lateral flatten(
        input => array_generate_range(
            0, datediff('day', {{ first_date }}, {{ last_date }}) + 1
        )
    ) as days
{%- endmacro %}

{% macro bigquery__day_series(from_cte, first_date, last_date, keep) -%}
    select
        {%- for column in keep %}
        {{ column }},
        {%- endfor %}
        calendar_date
    from {{ from_cte }}
    cross join unnest(generate_date_array({{ first_date }}, {{ last_date }}))
        as calendar_date
{%- endmacro %}

{#-
    Redshift generates series only on its leader node, which has no tables, so the days are counted
    with four digits.
-#}
{% macro redshift__day_series(from_cte, first_date, last_date, keep) -%}
    select
        {%- for column in keep %}
        {{ from_cte }}.{{ column }},
        {%- endfor %}
        {{ first_date }}
        + cast(
            ones.digit + 10 * tens.digit + 100 * hundreds.digit + 1000 * thousands.digit
            as integer
        ) as calendar_date
    from {{ from_cte }}
    {%- for place in ['ones', 'tens', 'hundreds', 'thousands'] %}
    cross join (
        select 0 as digit
        {%- for digit in range(1, 10) %} union all select {{ digit }}{% endfor %}
    ) as {{ place }}
    {%- endfor %}
    where
        ones.digit + 10 * tens.digit + 100 * hundreds.digit + 1000 * thousands.digit
        <= {{ last_date }} - {{ first_date }}
{%- endmacro %}
