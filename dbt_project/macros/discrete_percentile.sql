{#- A percentile of fewer items is null. -#}
{% macro min_items_for_percentile() -%}
    5
{%- endmacro %}

{#-
    The discrete percentile of a group: the smallest value that is at least as large as the given
    percentage of its values, so always a value of the group, never an average. Null if the group
    has fewer than five items. Computed in whole numbers, without rounding.

    value:       the measured value, never null
    value_rank:  the rank of the row's value in its group, ascending from 1 (row_number)
    value_count: the number of values in the group
    percent:     1 to 100
-#}
{% macro discrete_percentile(value, value_rank, value_count, percent) -%}
    case
        when max({{ value_count }}) >= {{ min_items_for_percentile() }}
            then min(
                case
                    when {{ value_rank }} * 100 >= {{ percent }} * {{ value_count }}
                        then {{ value }}
                end
            )
    end
{%- endmacro %}
