{#- How sure a forecast is, in per cent. -#}
{% macro forecast_percentiles() -%}
    {{ return([50, 70, 85, 95]) }}
{%- endmacro %}

{#- The horizons of "how many", in weeks. -#}
{% macro forecast_horizons() -%}
    {{ return([4, 8, 12]) }}
{%- endmacro %}

{#- Less than this in the window says nothing about the weeks to come. -#}
{% macro fewest_weeks_for_a_forecast() -%}
    8
{%- endmacro %}

{% macro fewest_stories_for_a_forecast() -%}
    8
{%- endmacro %}
