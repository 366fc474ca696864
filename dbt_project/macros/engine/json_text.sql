{#-
    A scalar inside JSON, as text; null when it is absent or JSON null.
    path: keys joined by dots, places in a list in brackets: 'person.name', '[0].kind'.
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

{#- Type json, not jsonb: an object or list inside comes out as it was written. -#}
{% macro postgres__json_text(element, path) -%}
    {%- set keys = path.replace('[', '.').replace(']', '').strip('.').split('.') -%}
    (cast({{ element }} as json) #>> '{{ '{' ~ keys | join(',') ~ '}' }}')
{%- endmacro %}

{% macro snowflake__json_text(element, path) -%}
    cast(get_path(try_parse_json({{ element }}), '{{ path }}') as varchar)
{%- endmacro %}

{#- One function of BigQuery's reads scalars, another one objects and lists. -#}
{% macro bigquery__json_text(element, path) -%}
    coalesce(
        json_value({{ element }}, '{{ json_path(path) }}'),
        json_query({{ element }}, '{{ json_path(path) }}')
    )
{%- endmacro %}

{#- Redshift gives an empty text for what is absent: texts that are empty become null, too. -#}
{% macro redshift__json_text(element, path) -%}
    {%- set place = modules.re.match('\\[([0-9]+)\\]\\.?', path) -%}
    {%- if place -%}
        {%- set element = 'json_extract_array_element_text(' ~ element ~ ', '
            ~ place.group(1) ~ ', true)' -%}
        {%- set path = path[place.end():] -%}
    {%- endif -%}
    {%- set keys = "', '".join(path.split('.')) -%}
    nullif(json_extract_path_text({{ element }}, '{{ keys }}', true), '')
{%- endmacro %}


{#- Whether a JSON object has a key, also when the key's value is null. Null: false. -#}
{% macro json_has_key(element, key) -%}
    {{ adapter.dispatch('json_has_key')(element, key) }}
{%- endmacro %}

{% macro duckdb__json_has_key(element, key) -%}
    coalesce(json_exists({{ element }}, '{{ json_path(key) }}'), false)
{%- endmacro %}

{% macro spark__json_has_key(element, key) -%}
    coalesce(
        map_contains_key(from_json({{ element }}, 'map<string, string>'), '{{ key }}'),
        false
    )
{%- endmacro %}

{% macro postgres__json_has_key(element, key) -%}
    (cast({{ element }} as json) -> '{{ key }}') is not null
{%- endmacro %}

{#- In Snowflake, JSON null is a value, and not null. -#}
{% macro snowflake__json_has_key(element, key) -%}
    get_path(try_parse_json({{ element }}), '{{ key }}') is not null
{%- endmacro %}

{% macro bigquery__json_has_key(element, key) -%}
    coalesce('{{ key }}' in unnest(json_keys(parse_json({{ element }}), 1)), false)
{%- endmacro %}

{#- Redshift has no list of keys: the key is looked for as it is written, at any depth. -#}
{% macro redshift__json_has_key(element, key) -%}
    coalesce(strpos({{ element }}, '"{{ key }}":') > 0, false)
{%- endmacro %}


{#- 'person.name' -> '$.person.name'; '[0].kind' -> '$[0].kind' -#}
{% macro json_path(path) -%}
    {{ return('$' ~ ('' if path.startswith('[') else '.') ~ path) }}
{%- endmacro %}
