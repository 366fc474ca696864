{#-
    The number of days in which points are completed at a rate in points per week, rounded up.
    Null if the rate is zero, and beyond the forecast horizon. Limited to nine decimal places
    before rounding up, so that a double of 14.000000000000002 gives 14 days.
-#}
{% macro days_of_work(points, points_per_week) -%}
    case
        when
            {{ as_double(points) }}
            <= {{ points_per_week }} * {{ var('forecast_horizon_weeks') }}
            and {{ points_per_week }} > 0
            then cast(ceil(cast(
                {{ as_double(points) }} * 7 / nullif({{ points_per_week }}, 0)
                as {{ engine_type('decimal(28, 9)') }}
            )) as bigint)
    end
{%- endmacro %}
