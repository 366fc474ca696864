{#- How few items are too few for a percentile. -#}
{% macro fewest_items_for_a_percentile() -%}
    5
{%- endmacro %}

{#-
    The discrete percentile of a group: the smallest of its values that at least the
    given per cent of them do not exceed, so always a real item, never a mean of two.
    Null when the group has fewer than five items. Whole numbers only: no rounding.

    value:      what is measured; the group's rows all have one
    value_rank: place of the row's value in its group, ascending from 1 (row_number)
    percent:    1 to 100
-#}
{% macro discrete_percentile(value, value_rank, value_count, percent) -%}
    case
        when max({{ value_count }}) >= {{ fewest_items_for_a_percentile() }}
            then min(
                case
                    when {{ value_rank }} * 100 >= {{ percent }} * {{ value_count }}
                        then {{ value }}
                end
            )
    end
{%- endmacro %}
