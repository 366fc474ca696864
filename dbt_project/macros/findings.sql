{#-
    One row per entity that breaks a rule of `dq_rule`, as the body of a CTE.

    rules: lists of the rule's name in `dq_rule`; a CTE with project_id and one row per entity that
           the rule applies to; an expression for the entity's id; one for the evidence (ids,
           versions, figures; never a person's name); and the condition under which the rule is
           broken (if omitted, every row of the CTE breaks it)
-#}
{% macro findings(rules) -%}
    {% for rule in rules -%}
    select
        '{{ rule[0] }}' as rule_name,
        project_id,
        {{ as_text(rule[2]) }} as entity_key,
        coalesce({{ as_text(rule[3]) }}, 'unknown') as evidence
    from {{ rule[1] }}
    where {{ rule[4] | default('true') }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
{%- endmacro %}


{#- Instants as evidence: `accepted_at 2024-05-01 09:30:00+00, created_at ...`. -#}
{% macro instant_evidence() -%}
    {%- for column in varargs %}
    {{- " || ', " if not loop.first else "'" }}{{ column }} ' || {{ instant_as_text(column) }}
    {%- endfor -%}
{%- endmacro %}


{#- An instant in UTC as text, truncated to seconds: 2024-05-01 09:30:00+00. -#}
{% macro instant_as_text(instant) -%}
    {%- set day = local_date(instant, "'UTC'") -%}
    {%- set seconds = seconds_between(local_midnight(day, "'UTC'"), instant) -%}
    {%- set parts = [] -%}
    {%- for whole, unit in [(86400, '3600.0'), (3600, '60.0'), (60, '1.0')] -%}
        {%- set count = 'floor(mod(' ~ seconds ~ ', ' ~ whole ~ ') / ' ~ unit ~ ')' -%}
        {%- do parts.append('lpad(' ~ as_text('cast(' ~ count ~ ' as bigint)') ~ ", 2, '0')") -%}
    {%- endfor -%}
    {{ as_text(day) }} || ' ' || {{ parts | join(" || ':' || ") }} || '+00'
{%- endmacro %}


{#- A decimal as text without trailing zeroes: 2, 0.5, 1.25. -#}
{% macro plain_number(expression) -%}
    case
        when {{ expression }} = floor({{ expression }})
            then {{ as_text('cast(' ~ expression ~ ' as bigint)') }}
        {%- for places in [1, 2, 3] %}
        {%- set cut = as_decimal(expression, places) %}
        when {{ cut }} = {{ expression }} then {{ as_text(cut) }}
        {%- endfor %}
        else {{ as_text(expression) }}
    end
{%- endmacro %}
