{#-
    Prepare the raw tables at the start of a run. On Spark, register the folders that ingestion wrote
    as tables, and create views of them, because Sail lists the columns of a view but not those of
    such a table. On PostgreSQL, update their statistics, as `statistics` does for models.
-#}
{% macro raw_tables() -%}
    {%- if execute -%}
        {{ adapter.dispatch('raw_tables', 'tracker')(
            graph.sources.values() | selectattr('source_name', 'equalto', 'pivotal_tracker') | list
        ) }}
    {%- endif -%}
{%- endmacro %}

{% macro default__raw_tables(tables) -%}
{%- endmacro %}

{% macro postgres__raw_tables(tables) -%}
    {%- for table in tables -%}
        {%- set loaded = adapter.get_relation(table.database, table.schema, table.identifier) -%}
        {%- if loaded -%}
            {%- do run_query('analyze ' ~ loaded) -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{% macro redshift__raw_tables(tables) -%}
{%- endmacro %}

{% macro spark__raw_tables(tables) -%}
    {%- for schema in tables | map(attribute='schema') | unique -%}
        {%- do run_query('create schema if not exists ' ~ schema) -%}
        {%- do run_query('create schema if not exists ' ~ schema ~ '_files') -%}
    {%- endfor -%}
    {%- for table in tables -%}
        {%- set files = table.schema ~ '_files.' ~ table.identifier -%}
        {%- set folder = warehouse_files() ~ '/' ~ table.schema ~ '/' ~ table.identifier -%}
        {%- do run_query('drop table if exists ' ~ files) -%}
        {%- do run_query(
            'create table ' ~ files ~ ' using ' ~ files_format() ~ " location '" ~ folder ~ "'"
        ) -%}
        {%- do run_query(
            'create or replace view ' ~ table.schema ~ '.' ~ table.identifier
            ~ ' as select * from ' ~ files
        ) -%}
    {%- endfor -%}
{%- endmacro %}

{#- In Databricks, ingestion creates the tables in the catalog. -#}
{% macro databricks__raw_tables(tables) -%}
{%- endmacro %}
