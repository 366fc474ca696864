{#-
    Contracts name their types as DuckDB does; before one is checked, and its table made,
    they are written as the engine names them.
-#}
{% macro engine_type(data_type) -%}
    {{ return(adapter.dispatch('engine_type')(data_type)) }}
{%- endmacro %}

{% macro default__engine_type(data_type) -%}
    {{ return(data_type) }}
{%- endmacro %}

{% macro postgres__engine_type(data_type) -%}
    {{ return({'double': 'double precision'}.get(data_type, data_type)) }}
{%- endmacro %}

{% macro spark__engine_type(data_type) -%}
    {{ return(
        {'varchar': 'string', 'timestamptz': 'timestamp'}.get(data_type, data_type)
    ) }}
{%- endmacro %}

{% macro redshift__engine_type(data_type) -%}
    {{ return({'varchar': 'varchar(65535)'}.get(
        data_type, postgres__engine_type(data_type)
    )) }}
{%- endmacro %}

{% macro bigquery__engine_type(data_type) -%}
    {{ return({
        'varchar': 'string', 'timestamptz': 'timestamp', 'double': 'float64'
    }.get(data_type, data_type)) }}
{%- endmacro %}


{#- dbt calls this first of all that reads the columns of a contract. -#}
{% macro default__get_assert_columns_equivalent(sql) -%}
    {%- for column in model['columns'].values() -%}
        {%- do column.update({'data_type': engine_type(column['data_type'])}) -%}
    {%- endfor -%}
    {{ return(assert_columns_equivalent(sql)) }}
{%- endmacro %}
