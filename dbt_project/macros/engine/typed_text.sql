{#-
    A text as a bigint, decimal, boolean or timestamp. Null if the text is not a value of that type;
    a number with decimal places is not a bigint.
-#}
{% macro typed_text(expression, type) -%}
    {{ adapter.dispatch('typed_text')(expression, type) }}
{%- endmacro %}

{% macro default__typed_text(expression, type) -%}
    {%- set types = {
        'bigint': 'bigint', 'decimal': 'decimal(18, 4)', 'boolean': 'boolean',
        'timestamp': 'timestamptz'
    } -%}
    {%- set text = expression -%}
    {%- if type == 'bigint' -%}
        {%- set text = "case when " ~ expression ~ " not like '%.%' then " ~ expression ~ ' end' -%}
    {%- endif -%}
    try_cast({{ text }} as {{ engine_type(types[type]) }})
{%- endmacro %}

{% macro bigquery__typed_text(expression, type) -%}
    {{ default__typed_text(expression, type) | replace('try_cast', 'safe_cast') }}
{%- endmacro %}

{#- Casts in PostgreSQL fail on invalid text, so a pattern selects the text that can be cast. -#}
{% macro postgres__typed_text(expression, type) -%}
    {%- set days = '(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)'
        ~ '|02-(0[1-9]|1[0-9]|2[0-8])' -%}
    {%- set leap_years = '([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)'
    -%}
    {%- set clock = '([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?' -%}
    {%- set offset = '(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)?' -%}
    {%- set patterns = {
        'bigint': '^-?[0-9]{1,18}$',
        'decimal': '^-?[0-9]{1,14}([.][0-9]+)?$',
        'boolean': '^(true|false)$',
        'timestamp': '^(([0-9]{4}-(' ~ days ~ '))|(' ~ leap_years ~ '-02-29))([T ]' ~ clock
            ~ offset ~ ')?$'
    } -%}
    {%- set types = {
        'bigint': 'bigint', 'decimal': 'decimal(18, 4)', 'boolean': 'boolean',
        'timestamp': 'timestamptz'
    } -%}
    case
        when
            {{ expression }} ~ '{{ patterns[type] }}'
            {%- if type == 'timestamp' %} and {{ expression }} not like '0000%'{% endif %}
            then cast({{ expression }} as {{ types[type] }})
    end
{%- endmacro %}
