{#-
    CTEs `starts`, `numbered` and `filled`: versions of an entity from the changes of its attributes.

    from_cte:   CTE with one row per change: entity_id, attribute_name, attribute_value,
                is_recorded (whether it comes from an activity), changed_at; each attribute has a
                row at the start of the entity's history
    entity_id:  its column with the entity's id
    attributes: the names of the attributes; each becomes a column of `filled`

    An attribute keeps the value of its last change: `<attribute>_number` counts the changes so far,
    and among the rows with the same number only the first has a value.
-#}
{% macro version_ctes(from_cte, entity_id, attributes) -%}
starts as (

    select
        {{ entity_id }},
        {% for attribute in attributes %}
        max(case when attribute_name = '{{ attribute }}' then attribute_value end)
            as {{ attribute }},
        count(case when attribute_name = '{{ attribute }}' then 1 end)
            as {{ attribute }}_changes,
        {% endfor %}
        count(case when is_recorded then 1 end) = 0 as is_inferred,
        changed_at as valid_from
    from {{ from_cte }}
    group by
        {{ entity_id }},
        changed_at

),

numbered as (

    select
        *,
        {% for attribute in attributes %}
        sum({{ attribute }}_changes) over (
            partition by {{ entity_id }}
            order by valid_from
            rows between unbounded preceding and current row
        ) as {{ attribute }}_number,
        {% endfor %}
        cast(
            row_number() over (
                partition by {{ entity_id }} order by valid_from
            ) as bigint
        ) as version_number,
        lead(valid_from) over (partition by {{ entity_id }} order by valid_from)
            as next_valid_from
    from starts

),

filled as (

    select
        {{ entity_id }},
        {% for attribute in attributes %}
        max({{ attribute }}) over (
            partition by {{ entity_id }}, {{ attribute }}_number
        ) as {{ attribute }},
        {% endfor %}
        version_number,
        is_inferred,
        valid_from,
        next_valid_from
    from numbered

)
{%- endmacro %}
