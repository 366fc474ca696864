{#-
    Tables and views of DuckDB, replaced in one transaction. dbt-duckdb's own build each beside
    the old one, look for indexes and foreign keys, rename both and drop the old one: some
    fifteen statements, which take longer than the SQL of most models.
-#}
{% materialization table, adapter='duckdb' %}
    {{ return(replaced_relation('table')) }}
{% endmaterialization %}

{% materialization view, adapter='duckdb' %}
    {{ return(replaced_relation('view')) }}
{% endmaterialization %}

{% macro replaced_relation(type) -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set relation = this.incorporate(type=type) -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- call statement('main') -%}
        {%- if existing is not none %}
        drop {{ existing.type }} if exists {{ existing }};
        {%- endif -%}
        {%- if type == 'table' -%}
            {{ create_table_as(False, relation, compiled_code) }}
        {%- else -%}
            {{ create_view_as(relation, compiled_code) }}
        {%- endif -%}
        {{ comments_on(relation) }}
    {%- endcall -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do adapter.commit() -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [relation]}) }}
{%- endmacro %}

{#- Descriptions of a model and its columns, as persist_docs asks for them. -#}
{% macro comments_on(relation) -%}
    {%- if config.persist_relation_docs() and model.description -%}
        {{ alter_relation_comment(relation, model.description) }}
    {%- endif -%}
    {%- if config.persist_column_docs() -%}
        {%- for column in model.columns.values() -%}
            comment on column {{ relation }}.{{ column.name }} is
            {{ duckdb_escape_comment(column.description) }};
        {% endfor -%}
    {%- endif -%}
{%- endmacro %}
