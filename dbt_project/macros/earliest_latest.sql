{#-
    The earliest and the latest of some values, ignoring nulls. Engines differ in how `least` treats
    nulls, so each argument falls back on the others.
-#}
{% macro earliest() -%}
    least({{ null_safe_arguments(varargs) }})
{%- endmacro %}

{% macro latest() -%}
    greatest({{ null_safe_arguments(varargs) }})
{%- endmacro %}

{#- a, b -> coalesce(a, b), coalesce(b, a) -#}
{% macro null_safe_arguments(expressions) -%}
    {%- set arguments = [] -%}
    {%- for expression in expressions -%}
        {%- set rotated = expressions[loop.index0:] + expressions[:loop.index0] -%}
        {%- do arguments.append('coalesce(' ~ rotated | join(', ') ~ ')') -%}
    {%- endfor -%}
    {{ arguments | join(', ') }}
{%- endmacro %}
