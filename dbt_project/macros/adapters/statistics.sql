{#-
    Update the statistics of a new table, if the engine does not do so before the next model is
    planned. PostgreSQL would do it a minute later, and until then join the table row by row, as if
    it were small.
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

{#- Redshift, whose adapter inherits from PostgreSQL's, updates statistics while writing. -#}
{% macro redshift__statistics() -%}
{%- endmacro %}
