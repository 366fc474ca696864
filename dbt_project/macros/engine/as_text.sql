{#- A number as text. -#}
{% macro as_text(expression) -%}
    {{ adapter.dispatch('as_text')(expression) }}
{%- endmacro %}

{% macro default__as_text(expression) -%}
    cast({{ expression }} as varchar)
{%- endmacro %}

{% macro spark__as_text(expression) -%}
    cast({{ expression }} as string)
{%- endmacro %}

{% macro bigquery__as_text(expression) -%}
    cast({{ expression }} as string)
{%- endmacro %}

{#- Without a length, Redshift would cut it at 256 bytes. -#}
{% macro redshift__as_text(expression) -%}
    cast({{ expression }} as varchar(65535))
{%- endmacro %}


{#- An instant as text, in UTC: 2024-05-01 09:30:00+00. -#}
{% macro instant_as_text(expression) -%}
    {{ adapter.dispatch('instant_as_text')(expression) }}
{%- endmacro %}

{% macro default__instant_as_text(expression) -%}
    {{ as_text(expression) }}
{%- endmacro %}

{% macro spark__instant_as_text(expression) -%}
    cast({{ expression }} as string) || '+00'
{%- endmacro %}

{% macro snowflake__instant_as_text(expression) -%}
    to_char(convert_timezone('UTC', {{ expression }}), 'YYYY-MM-DD HH24:MI:SS') || '+00'
{%- endmacro %}


{#- dbt calls it for a text in quotes: in Spark's, a backslash begins an escape. -#}
{% macro spark__escape_single_quotes(expression) -%}
    {{ expression | replace("\\", "\\\\") | replace("'", "\\'") }}
{%- endmacro %}

{% macro snowflake__escape_single_quotes(expression) -%}
    {{ spark__escape_single_quotes(expression) }}
{%- endmacro %}

{% macro bigquery__escape_single_quotes(expression) -%}
    {{ spark__escape_single_quotes(expression) }}
{%- endmacro %}
