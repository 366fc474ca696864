{#- Whether a JSON object has a key, even with a null value. False if the object is null. -#}
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

{#- In Snowflake, a JSON null is not a SQL null. -#}
{% macro snowflake__json_has_key(element, key) -%}
    get_path(try_parse_json({{ element }}), '{{ key }}') is not null
{%- endmacro %}

{% macro bigquery__json_has_key(element, key) -%}
    coalesce('{{ key }}' in unnest(json_keys(parse_json({{ element }}), 1)), false)
{%- endmacro %}

{#- Redshift cannot list keys, so the key's text is searched for at any depth. -#}
{% macro redshift__json_has_key(element, key) -%}
    coalesce(strpos({{ element }}, '"{{ key }}":') > 0, false)
{%- endmacro %}
