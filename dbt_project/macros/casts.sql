{#- A number, day or text as text. -#}
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

{#- A decimal, of four places as all points and estimates are. -#}
{% macro as_decimal(expression, places=4) -%}
    cast({{ expression }} as {{ engine_type('decimal(18, ' ~ places ~ ')') }})
{%- endmacro %}
