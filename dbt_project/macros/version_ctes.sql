{#-
    CTEs with the values of an entity's attributes over time. The last one, `different_values`, is what
    `version_ctes` needs: one row per attribute and instant from which it has the value. An
    attribute begins with the value that its first change replaced; without any change, it has the
    value of the entity's record. At the end the record decides: if it differs from the last change,
    no activity says since when, so the record's last update is assumed.

    entity_id: the column with the entity's id in these two CTEs:
        values_now:        one row per entity and attribute: attribute_name, attribute_value in the
                           record, is_last (whether that is known to be the last one), first_at and
                           ends_at (the entity's history), updated_at of the record
        attribute_changes: one row per change in activities: attribute_name, original_value,
                           new_value, is_creation, and the columns of `order_of_changes`

    Changes after ends_at say what the value was before them.
-#}
{% macro value_ctes(entity_id) -%}
numbered_changes as (

    select
        values_now.*,
        attribute_changes.original_value,
        attribute_changes.new_value,
        attribute_changes.occurred_at is not null as is_changed,
        coalesce(attribute_changes.is_creation, false) as is_creation,
        row_number() over (
            partition by values_now.{{ entity_id }}, values_now.attribute_name
            order by {{ order_of_changes('attribute_changes') }}
        ) as change_number,
        count(*) over (
            partition by values_now.{{ entity_id }}, values_now.attribute_name
        ) as change_count,
        {{ latest('attribute_changes.occurred_at', 'values_now.first_at') }} as changed_at
    from values_now
    left join attribute_changes
        on
            values_now.{{ entity_id }} = attribute_changes.{{ entity_id }}
            and values_now.attribute_name = attribute_changes.attribute_name

),

all_values as (

    select
        {{ entity_id }},
        attribute_name,
        case
            when is_creation then new_value
            when is_changed then original_value
            else attribute_value
        end as attribute_value,
        0 as change_number,
        is_creation as is_recorded,
        ends_at,
        first_at as changed_at
    from numbered_changes
    where change_number = 1

    union all

    select
        {{ entity_id }},
        attribute_name,
        new_value as attribute_value,
        change_number,
        true as is_recorded,
        ends_at,
        changed_at
    from numbered_changes
    where is_changed

    union all

    select
        {{ entity_id }},
        attribute_name,
        attribute_value,
        change_number + 1 as change_number,
        false as is_recorded,
        ends_at,
        {{ latest('updated_at', 'changed_at') }} as changed_at
    from numbered_changes
    where
        is_last
        and is_changed
        and change_number = change_count
        and {{ differ('attribute_value', 'new_value') }}

),

-- Of several values at one instant, only the last one lasted.
ranked_values as (

    select
        *,
        row_number() over (
            partition by {{ entity_id }}, attribute_name, changed_at
            order by change_number desc
        ) as recency
    from all_values
    where changed_at <= ends_at

),

with_previous_values as (

    select
        *,
        lag(attribute_value) over (
            partition by {{ entity_id }}, attribute_name
            order by changed_at
        ) as previous_value,
        row_number() over (
            partition by {{ entity_id }}, attribute_name
            order by changed_at
        ) as value_number
    from ranked_values
    where recency = 1

),

-- A change may repeat a value; when a story moves, both projects record it.
different_values as (

    select * from with_previous_values
    where
        value_number = 1
        or {{ differ('attribute_value', 'previous_value') }}

)
{%- endmacro %}


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
