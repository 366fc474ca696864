{#-
    Replace the types in a model's contract with the engine's names. dbt calls this macro before any
    other that reads the contract.
-#}
{% macro default__get_assert_columns_equivalent(sql) -%}
    {%- for column in model['columns'].values() -%}
        {%- do column.update({'data_type': engine_type(column['data_type'])}) -%}
    {%- endfor -%}
    {{ return(assert_columns_equivalent(sql)) }}
{%- endmacro %}
