{#-
    A unit test as in dbt 1.11, but with a short name for its temporary table: dbt names it like the
    test, and PostgreSQL limits names to 63 characters. Decimals are compared by value, because the
    number of decimal places of an expression without a declared scale varies.
-#}
{%- materialization unit, adapter='postgres' -%}
    {%- set short_name = 'unit_test_' ~ local_md5(this.identifier) -%}
    {%- set temporary = make_temp_relation(
        this.incorporate(path={'identifier': short_name}, type='table')
    ) -%}
    {%- do run_query(
        get_create_table_as_sql(True, temporary, get_empty_subquery_sql(sql))
    ) -%}
    {%- set types = {} -%}
    {%- set quoted = {} -%}
    {%- for column in adapter.get_columns_in_relation(temporary) -%}
        {%- do types.update({column.name: column.data_type}) -%}
        {%- do quoted.update({column.name: column.quoted}) -%}
    {%- endfor -%}

    {%- set rows = config.get('expected_rows') -%}
    {%- set compared = rows[0].keys() if rows else get_columns_in_query(sql) -%}
    {%- set expected = config.get('expected_sql')
        or get_expected_sql(rows, types, quoted) -%}
    {%- set names = [] -%}
    {%- for name in compared -%}
        {%- set column = quoted[name | lower] -%}
        {%- if types[name | lower].startswith('numeric') -%}
            {%- set column = 'trim_scale(' ~ column ~ ') as ' ~ column -%}
        {%- endif -%}
        {%- do names.append(column) -%}
    {%- endfor -%}

    {%- call statement('main', fetch_result=True) -%}
        {{ get_unit_test_sql(sql, expected, names) }}
    {%- endcall -%}
    {%- do adapter.drop_relation(temporary) -%}
    {{ return({'relations': []}) }}
{%- endmaterialization -%}
