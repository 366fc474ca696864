{#-
    After a table is made: let the engine count its values, where it does not by itself
    before the next model is planned. PostgreSQL does a minute later; until then it takes
    a new table for a small one, and joins it row by row.
-#}
{% macro statistics() -%}
    {{ adapter.dispatch('statistics')() }}
{%- endmacro %}

{% macro default__statistics() -%}
{%- endmacro %}

{% macro postgres__statistics() -%}
    {%- if model.config.materialized == 'table' -%}
        analyze {{ this }}
    {%- endif -%}
{%- endmacro %}

{#- Redshift inherits from PostgreSQL, and counts while it writes a table. -#}
{% macro redshift__statistics() -%}
{%- endmacro %}
