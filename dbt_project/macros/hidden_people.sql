{#-
    Pseudonyms, by the variables hide_people and people_salt. A name is replaced with a stable
    pseudonym made from the person's id; a missing name stays null.
-#}
{% macro hides_people() -%}
    {{ return(var('hide_people') | string | lower in ['true', '1', 'yes']) }}
{%- endmacro %}


{#-
    A name, initials, username or e-mail, or its pseudonym.

    column:    the column with the name
    person_id: the person's id
    pseudonym: its format, where # stands for eight hexadecimal digits
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


{#- Text written by people, which may contain names; null if people are hidden. -#}
{% macro free_text(column) -%}
    {%- if hides_people() -%}
    {{ as_text('null') }}
    {%- else -%}
    {{ column }}
    {%- endif -%}
{%- endmacro %}
