{#-
    The earliest and the latest of some values; those that are null do not count. Engines
    differ in what `least` makes of a null, so each argument falls back on the others.
-#}
{% macro earliest() -%}
    least({{ each_or_another(varargs) }})
{%- endmacro %}

{% macro latest() -%}
    greatest({{ each_or_another(varargs) }})
{%- endmacro %}

{#- a, b -> coalesce(a, b), coalesce(b, a) -#}
{% macro each_or_another(expressions) -%}
    {%- set arguments = [] -%}
    {%- for expression in expressions -%}
        {%- set turned = expressions[loop.index0:] + expressions[:loop.index0] -%}
        {%- do arguments.append('coalesce(' ~ turned | join(', ') ~ ')') -%}
    {%- endfor -%}
    {{ arguments | join(', ') }}
{%- endmacro %}
