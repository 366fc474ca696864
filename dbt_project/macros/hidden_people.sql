{#-
    The vars hide_people and people_salt: the one place that knows how a person is hidden. A hidden
    name is a stable pseudonym, made from the person's id; whoever has no name gets none.
-#}
{% macro hides_people() -%}
    {{ return(var('hide_people') | string | lower in ['true', '1', 'yes']) }}
{%- endmacro %}


{#-
    A name, initials, username or e-mail, or its pseudonym.

    column:    the column that holds it
    person_id: whose it is
    pseudonym: its form, where # stands for eight hexadecimal digits
-#}
{% macro name_or_pseudonym(column, person_id, pseudonym) -%}
    {%- if hides_people() -%}
    {%- set before, after = pseudonym.split('#') -%}
    {%- set salt = dbt.escape_single_quotes(var('people_salt') | string) -%}
    case
        when {{ column }} is not null
            then
                '{{ before }}'
                || substring({{ dbt.hash("'" ~ salt ~ "' || " ~ as_text(person_id)) }}, 1, 8)
                || '{{ after }}'
    end
    {%- else -%}
    {{ column }}
    {%- endif -%}
{%- endmacro %}


{#- A text that people wrote and that may name anybody: hidden, it is null. -#}
{% macro free_text(column) -%}
    {%- if hides_people() -%}
    {{ as_text('null') }}
    {%- else -%}
    {{ column }}
    {%- endif -%}
{%- endmacro %}
