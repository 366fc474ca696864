{#-
    The engine's name of a type. Casts and the contracts of marts use DuckDB's names, such as
    varchar, double and timestamptz. Types that are not listed have the same name everywhere.
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

{#- Without a length, Redshift would truncate texts to 256 bytes. -#}
{% macro redshift__engine_type(data_type) -%}
    {{ return({'varchar': 'varchar(65535)'}.get(
        data_type, postgres__engine_type(data_type)
    )) }}
{%- endmacro %}

{#- BigQuery allows no precision in a cast; its decimals have nine places. -#}
{% macro bigquery__engine_type(data_type) -%}
    {{ return({
        'varchar': 'string', 'timestamptz': 'timestamp', 'double': 'float64',
        'decimal': 'numeric'
    }.get(data_type.split('(')[0], data_type)) }}
{%- endmacro %}
