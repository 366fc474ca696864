{#-
    A schema is called what its folder says, or what `tracker_<folder>_schema` says. A target with
    another schema than a production one, such as dbt_anna, has schemas of its own: dbt_anna_marts.
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
