{#-
    Whole days until points are done at a pace in points a week, the last day begun
    counting in full. Null at no pace, and beyond the forecasts' horizon. Cut to nine
    places first, so that 14.000000000000002 days of a double are 14.
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
