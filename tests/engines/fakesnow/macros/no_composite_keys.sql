{#- fakesnow mistakes a separate key constraint of a table for a column. -#}
{% macro snowflake__get_table_columns_and_constraints() -%}
    ({{ adapter.render_raw_columns_constraints(raw_columns=model['columns']) | join(', ') }})
{%- endmacro %}
