{#-
    A scalar in JSON, as text; null if it is absent or a JSON null.

    path: keys joined by dots, list positions in brackets: 'person.name', '[0].kind'
-#}
{% macro json_text(element, path) -%}
    {{ adapter.dispatch('json_text')(element, path) }}
{%- endmacro %}

{% macro duckdb__json_text(element, path) -%}
    json_extract_string({{ element }}, '{{ json_path(path) }}')
{%- endmacro %}

{% macro spark__json_text(element, path) -%}
    get_json_object({{ element }}, '{{ json_path(path) }}')
{%- endmacro %}

{#- Type json, not jsonb, keeps the original text of nested objects and lists. -#}
{% macro postgres__json_text(element, path) -%}
    {%- set keys = path.replace('[', '.').replace(']', '').strip('.').split('.') -%}
    (cast({{ element }} as json) #>> '{{ '{' ~ keys | join(',') ~ '}' }}')
{%- endmacro %}

{% macro snowflake__json_text(element, path) -%}
    cast(get_path(try_parse_json({{ element }}), '{{ path }}') as varchar)
{%- endmacro %}

{#- BigQuery has one function for scalars and another for objects and lists. -#}
{% macro bigquery__json_text(element, path) -%}
    coalesce(
        json_value({{ element }}, '{{ json_path(path) }}'),
        json_query({{ element }}, '{{ json_path(path) }}')
    )
{%- endmacro %}

{#- Redshift returns an empty text if the path is absent, so empty texts become null too. -#}
{% macro redshift__json_text(element, path) -%}
    {%- set match = modules.re.match('\\[([0-9]+)\\]\\.?', path) -%}
    {%- if match -%}
        {%- set element = 'json_extract_array_element_text(' ~ element ~ ', '
            ~ match.group(1) ~ ', true)' -%}
        {%- set path = path[match.end():] -%}
    {%- endif -%}
    {%- set keys = "', '".join(path.split('.')) -%}
    nullif(json_extract_path_text({{ element }}, '{{ keys }}', true), '')
{%- endmacro %}


{#- 'person.name' -> '$.person.name'; '[0].kind' -> '$[0].kind' -#}
{% macro json_path(path) -%}
    {{ return('$' ~ ('' if path.startswith('[') else '.') ~ path) }}
{%- endmacro %}
