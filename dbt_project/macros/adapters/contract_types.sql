{#-
    dbt calls this first of all that reads the columns of a contract: from here on, types
    are written as the engine names them.
-#}
{% macro default__get_assert_columns_equivalent(sql) -%}
    {%- for column in model['columns'].values() -%}
        {%- do column.update({'data_type': engine_type(column['data_type'])}) -%}
    {%- endfor -%}
    {{ return(assert_columns_equivalent(sql)) }}
{%- endmacro %}
