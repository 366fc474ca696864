{#-
    Tables on Spark are Delta tables in WAREHOUSE_FILES, next to the raw tables; each is replaced in
    one commit, even if its columns have changed. If the raw tables are Parquet files, the models
    are too, in the location that Spark's catalogue chooses: dropping a table with an explicit
    location would not delete its files, and the table could not be created there again.
-#}
{% macro spark__location_clause() -%}
    {%- if files_format() == 'delta' -%}
        location '{{ warehouse_files() }}/{{ model.schema }}/{{ model.alias }}'
    {%- endif -%}
{%- endmacro %}

{#- The format of the raw tables. dbt_project.yml cannot call macros, and repeats this. -#}
{% macro files_format() -%}
    {{ return(env_var('WAREHOUSE_FILES_FORMAT', '') or 'delta') }}
{%- endmacro %}

{% macro spark__options_clause() -%}
    options (overwriteSchema 'true')
{%- endmacro %}

{#- The folder or URL of the tables; absolute, because the server may run in another folder. -#}
{% macro warehouse_files() -%}
    {%- set folder = env_var('WAREHOUSE_FILES') -%}
    {%- if not folder.startswith('/') and '://' not in folder -%}
        {{ exceptions.raise_compiler_error(
            "WAREHOUSE_FILES is '" ~ folder ~ "'; set it to an absolute path or a URL"
        ) }}
    {%- endif -%}
    {{ return(folder.rstrip('/')) }}
{%- endmacro %}


{#-
    The select that fills a table with a contract. It checks the constraints while rows are written,
    so that an invalid row leaves the old table unchanged. All checks are in one case expression on
    the first column, because Sail would split up a boolean one and always raise the error.
-#}
{% macro spark__get_select_subquery(sql) -%}
    {%- set names = model.columns.keys() | list -%}
    select
        case
            {%- for condition in broken_constraints() %}
            when {{ condition }}
                then raise_error('a row has {{ dbt.escape_single_quotes(condition) }}')
            {%- endfor %}
            else {{ names[0] }}
        end as {{ names | join(',\n        ') }}
    from (
        {{ sql }}
    ) as model_subq
{%- endmacro %}

{#- The conditions that break the constraints of the model's contract. -#}
{% macro broken_constraints() -%}
    {%- set conditions = [] -%}
    {%- for column in model.columns.values() -%}
        {%- for constraint in column.constraints if constraint.type == 'not_null' -%}
            {%- do conditions.append(column.name ~ ' is null') -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set of_columns = model.columns.values() | map(attribute='constraints') | sum(start=[]) -%}
    {%- for constraint in model.constraints + of_columns if constraint.type == 'check' -%}
        {%- do conditions.append('not (' ~ constraint.expression ~ ')') -%}
    {%- endfor -%}
    {{ return(conditions) }}
{%- endmacro %}

{#- The select has checked them. -#}
{% macro spark__persist_constraints(relation, model) -%}
{%- endmacro %}
