{#-
    A unit test, as dbt 1.11 runs it, under a short name: dbt makes a temporary table that is
    called like the test, and PostgreSQL has no names of more than 63 characters. Decimals
    are compared by value: an expression without a declared scale shows as many digits as
    it happens to have.
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
