{#-
    Whether two values differ, where null is a value like any other: `is distinct from`,
    which Redshift does not have.
-#}
{% macro differ(one, another) -%}
    case
        when {{ one }} = {{ another }} or ({{ one }} is null and {{ another }} is null) then 0
        else 1
    end = 1
{%- endmacro %}
