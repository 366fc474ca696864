{#-
    Replace tables and views in DuckDB in one transaction. dbt-duckdb's own materializations build
    the new one under another name, look for indexes and foreign keys, rename both and drop the old
    one: about fifteen statements, which take longer than the SQL of most models.
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

{#- Comments with the descriptions of a model and its columns, according to persist_docs. -#}
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
