{#- fakesnow has no temporary tables, so unit tests use an ordinary table, which they drop. -#}
{% macro snowflake__create_table_temporary_sql(relation, compiled_code) -%}
    {{ snowflake__create_table_transient_sql(relation, compiled_code) }}
{%- endmacro %}
