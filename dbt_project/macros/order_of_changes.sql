{#-
    The order of changes, for `order by`: within a second, that of the projects that a story went
    through, then the version of the project, then the place in the activity.

    changes:   in a join, the CTE with the columns of `int_activity_changes`
    direction: `desc` for the last change first
-#}
{% macro order_of_changes(changes=none, direction='asc') -%}
    {%- for column in [
        'occurred_at', 'order_in_second', 'project_version', 'change_index', 'project_id'
    ] -%}
        {{ changes ~ '.' if changes }}{{ column }} {{ direction }}{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
