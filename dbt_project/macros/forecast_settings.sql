{#- How sure a forecast is, in per cent. -#}
{% macro forecast_percentiles() -%}
    {{ return([50, 70, 85, 95]) }}
{%- endmacro %}

{#- The horizons of "how many", in weeks. -#}
{% macro forecast_horizons() -%}
    {{ return([4, 8, 12]) }}
{%- endmacro %}

{#- The horizons at which the errors of earlier forecasts are taken, in weeks. -#}
{% macro error_horizons() -%}
    {{ return([1, 2, 4, 8, 12, 26]) }}
{%- endmacro %}

{#- After so many weeks a week counts half in the recent pace. -#}
{% macro recent_half_life_weeks() -%}
    6
{%- endmacro %}

{#- Less than this in the window says nothing about the weeks to come. -#}
{% macro fewest_weeks_for_a_forecast() -%}
    8
{%- endmacro %}

{% macro fewest_stories_for_a_forecast() -%}
    8
{%- endmacro %}

{#-
    So many standard deviations of a normal distribution lie below its 50th, 70th, 85th
    and 95th percentile.
-#}
{% macro normal_deviates() -%}
    {{ return({50: 0.0, 70: 0.524401, 85: 1.036433, 95: 1.644854}) }}
{%- endmacro %}

{#- Ten values that divide a normal distribution evenly: its 5th, 15th, ... 95th percentile. -#}
{% macro normal_values() -%}
    {{ return([
        -1.644854, -1.036433, -0.67449, -0.38532, -0.125661,
        0.125661, 0.38532, 0.67449, 1.036433, 1.644854
    ]) }}
{%- endmacro %}
