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
