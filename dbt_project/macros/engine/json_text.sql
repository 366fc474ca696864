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


{#- 'person.name' -> '$.person.name'; '[0].kind' -> '$[0].kind' -#}
{% macro json_path(path) -%}
    {{ return('$' ~ ('' if path.startswith('[') else '.') ~ path) }}
{%- endmacro %}
