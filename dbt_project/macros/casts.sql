{#- A number, date or text as text. -#}
{% macro as_text(expression) -%}
    cast({{ expression }} as {{ engine_type('varchar') }})
{%- endmacro %}

{#- A number in double precision: ratios must not inherit the scale of a decimal. -#}
{% macro as_double(expression) -%}
    cast({{ expression }} as {{ engine_type('double') }})
{%- endmacro %}

{#- An instant from text in ISO 8601; the session's zone is UTC. -#}
{% macro as_instant(expression) -%}
    cast({{ expression }} as {{ engine_type('timestamptz') }})
{%- endmacro %}

{#- A decimal, by default with four places, the scale of all points and estimates. -#}
{% macro as_decimal(expression, places=4) -%}
    cast({{ expression }} as {{ engine_type('decimal(18, ' ~ places ~ ')') }})
{%- endmacro %}
