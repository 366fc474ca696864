{#- The probabilities that forecasts are given for, in percent. -#}
{% macro forecast_percentiles() -%}
    {{ return([50, 70, 85, 95]) }}
{%- endmacro %}

{#- The horizons of the question "how many", in weeks. -#}
{% macro forecast_horizons() -%}
    {{ return([4, 8, 12]) }}
{%- endmacro %}

{#- The horizons at which errors of earlier forecasts are measured, in weeks. -#}
{% macro error_horizons() -%}
    {{ return([1, 2, 4, 8, 12, 26, 52]) }}
{%- endmacro %}

{#- The two means of throughput: the age in weeks at which a week has half the weight. -#}
{% macro half_lives() -%}
    {{ return({'steady': 20, 'recent': 6}) }}
{%- endmacro %}

{#- The weeks behind the baseline; in shorter windows only one large week is limited. -#}
{% macro baseline_weeks() -%}
    26
{%- endmacro %}

{#- The fewest weeks before a back test, and before an error that counts in full. -#}
{% macro full_window_weeks() -%}
    {{ return([var('forecast_window_weeks') | int, baseline_weeks() | int] | min) }}
{%- endmacro %}

{#- With fewer complete weeks, or fewer stories accepted in the last 26, there is no forecast. -#}
{% macro min_weeks_for_forecast() -%}
    8
{%- endmacro %}

{% macro min_stories_for_forecast() -%}
    8
{%- endmacro %}

{#-
    The standard normal quantile of each percentile: its distance from the mean in standard
    deviations.
-#}
{% macro normal_deviates() -%}
    {{ return({50: 0.0, 70: 0.524401, 85: 1.036433, 95: 1.644854}) }}
{%- endmacro %}

{#- Ten equally likely standard normal values: the 5th, 15th, ... 95th percentile. -#}
{% macro normal_values() -%}
    {{ return([
        -1.644854, -1.036433, -0.67449, -0.38532, -0.125661,
        0.125661, 0.38532, 0.67449, 1.036433, 1.644854
    ]) }}
{%- endmacro %}

{#- A number in whole millionths, which every engine adds up to the same total. -#}
{% macro millionths(expression) -%}
    cast(round(1000000 * ({{ expression }})) as bigint)
{%- endmacro %}

{#-
    The pairs whose products least squares need: excesses over what is usual, and the stories
    missed at the steady pace.
-#}
{% macro effect_products() -%}
    {{ return([
        ('recent', 'recent'), ('recent', 'missed'),
        ('in_progress', 'in_progress'), ('in_progress', 'missed'), ('in_progress', 'recent'),
        ('backlog', 'backlog'), ('backlog', 'missed'), ('backlog', 'recent'),
        ('in_progress', 'backlog'),
    ]) }}
{%- endmacro %}

{#-
    The stories expected by a relation with a count at the steady pace and its excesses: with a
    share of the recent pace, and the effects of work in progress and of the backlog. The effects
    change the count by at most half.
-#}
{% macro with_effects(relation, effects) -%}
    {% set paced -%}
        ({{ relation }}.steady_expected
        + coalesce({{ effects }}.recent_share, 0) * {{ relation }}.recent_excess)
    {%- endset %}
    greatest(
        least(
            {{ paced }} + (
                coalesce({{ effects }}.in_progress_effect, 0)
                * {{ relation }}.in_progress_excess
                + coalesce({{ effects }}.backlog_effect, 0)
                * {{ relation }}.backlog_excess
            ),
            1.5 * {{ paced }}
        ),
        0.5 * {{ paced }}
    )
{%- endmacro %}
