{#-
    A schema is named after its folder, or by the variable `tracker_<folder>_schema`. In a target
    whose schema is not a production one, such as dbt_anna, the name gets a prefix: dbt_anna_marts.
-#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if custom_schema_name -%}
        {%- set folder = custom_schema_name | trim -%}
        {%- set name = var('tracker_' ~ folder ~ '_schema', folder) -%}
        {%- set is_production = target.schema in var('tracker_production_schemas') -%}
        {{ name if is_production else target.schema ~ '_' ~ name }}
    {%- else -%}
        {{ target.schema }}
    {%- endif -%}
{%- endmacro %}
