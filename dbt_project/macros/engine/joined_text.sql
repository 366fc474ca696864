{#-
    The texts of a group, joined by commas and ordered by code point, whatever the database's
    locale. Nulls are ignored; null if the group has no other values.
-#}
{% macro joined_text(expression) -%}
    {{ adapter.dispatch('joined_text')(expression) }}
{%- endmacro %}

{% macro default__joined_text(expression) -%}
    string_agg({{ expression }}, ', ' order by {{ expression }})
{%- endmacro %}

{% macro postgres__joined_text(expression) -%}
    string_agg({{ expression }}, ', ' order by {{ expression }} collate "C")
{%- endmacro %}

{% macro spark__joined_text(expression) -%}
    case
        when count({{ expression }}) > 0
            then array_join(array_sort(collect_list({{ expression }})), ', ')
    end
{%- endmacro %}

{% macro snowflake__joined_text(expression) -%}
    case
        when count({{ expression }}) > 0
            then listagg({{ expression }}, ', ') within group (order by {{ expression }})
    end
{%- endmacro %}

{% macro redshift__joined_text(expression) -%}
    listagg({{ expression }}, ', ') within group (order by {{ expression }})
{%- endmacro %}
