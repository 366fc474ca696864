{#-
    Tables on Spark: Delta, in WAREHOUSE_FILES beside the raw tables, each replaced whole by
    one commit, also when its columns have changed. Where the raw tables are plain Parquet,
    these are too, and lie where Spark's catalogue puts them: it drops the files of no table
    that has a place of its own, so that the next one could not be made there.
-#}
{% macro spark__location_clause() -%}
    {%- if files_format() == 'delta' -%}
        location '{{ warehouse_files() }}/{{ model.schema }}/{{ model.alias }}'
    {%- endif -%}
{%- endmacro %}

{#- How raw tables were written. dbt_project.yml, which can call no macro, says the same. -#}
{% macro files_format() -%}
    {{ return(env_var('WAREHOUSE_FILES_FORMAT', '') or 'delta') }}
{%- endmacro %}

{% macro spark__options_clause() -%}
    options (overwriteSchema 'true')
{%- endmacro %}

{#- A server need not run in the folder in which dbt runs. -#}
{% macro warehouse_files() -%}
    {%- set folder = env_var('WAREHOUSE_FILES') -%}
    {%- if not folder.startswith('/') and '://' not in folder -%}
        {{ exceptions.raise_compiler_error(
            "WAREHOUSE_FILES is '" ~ folder ~ "': Spark needs a whole path, or a URL"
        ) }}
    {%- endif -%}
    {{ return(folder.rstrip('/')) }}
{%- endmacro %}


{#-
    The select that fills a contract's table. Its constraints are checked as the rows are
    written, so that a row which breaks one leaves the table as it was. They stand in one
    case, on the first column: Sail would take the case of a boolean apart, and raise all.
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

{#- What a row must not be, by the constraints of a contract. -#}
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

{#- They have been checked. -#}
{% macro spark__persist_constraints(relation, model) -%}
{%- endmacro %}
