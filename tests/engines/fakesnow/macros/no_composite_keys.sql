{#- fakesnow takes a key that stands beside the columns of a table for one more column. -#}
{% macro snowflake__get_table_columns_and_constraints() -%}
    ({{ adapter.render_raw_columns_constraints(raw_columns=model['columns']) | join(', ') }})
{%- endmacro %}
