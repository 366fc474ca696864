{#-
    Whether two values differ, where null equals null: `is distinct from`, which Redshift
    lacks.
-#}
{% macro differ(one, another) -%}
    case
        when {{ one }} = {{ another }} or ({{ one }} is null and {{ another }} is null) then 0
        else 1
    end = 1
{%- endmacro %}
