{#-
    All checks of a model's rows in one query, because starting a query costs a build more
    than most of these checks. Returns the rows that break a rule, with their `broken_rules`.

    key:             columns that identify a row: never null, and unique together
    not_null:        further columns that are never null
    references:      column, to and field: each value of `column` is in `field` of `to`
    accepted_values: by column, the allowed values
-#}
{% test valid_rows(model, key=[], not_null=[], references=[], accepted_values={}) %}

with

model_rows as (

    select * from {{ model }}

),

{% if key -%}
repeated_keys as (

    select {{ key | join(', ') }}
    from model_rows
    group by {{ key | join(', ') }}
    having count(*) > 1

),

{% endif -%}
{% for reference in references -%}
known_{{ reference.column }} as (

    select {{ reference.field }} as known_value
    from {{ reference.to }}
    group by {{ reference.field }}

),

{% endfor -%}
checked as (

    select
        model_rows.*,
        {% for column in key + not_null -%}
        case when model_rows.{{ column }} is null then '{{ column }} is null; ' else '' end ||
        {% endfor -%}
        {% if key -%}
        case
            when repeated_keys.{{ key[0] }} is not null
                then '{{ key | join(', ') }}: several rows; '
            else ''
        end ||
        {% endif -%}
        {% for reference in references -%}
        case
            when
                model_rows.{{ reference.column }} is not null
                and known_{{ reference.column }}.known_value is null
                then '{{ reference.column }} is not in {{ reference.to.identifier }}; '
            else ''
        end ||
        {% endfor -%}
        {% for column, values in accepted_values.items() -%}
        case
            when model_rows.{{ column }} not in ('{{ values | join("', '") }}')
                then '{{ column }} has another value; '
            else ''
        end ||
        {% endfor -%}
        '' as broken_rules
    from model_rows
    {%- if key %}
    left join repeated_keys
        on
            {% for column in key -%}
            {{ 'and ' if not loop.first }}model_rows.{{ column }} = repeated_keys.{{ column }}
            {% endfor -%}
    {% endif %}
    {%- for reference in references %}
    left join known_{{ reference.column }}
        on model_rows.{{ reference.column }} = known_{{ reference.column }}.known_value
    {%- endfor %}

)

select * from checked
where broken_rules != ''

{% endtest %}
