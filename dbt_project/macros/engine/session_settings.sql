{#-
    Before a model is made: what its engine must be told once a session, where its
    default does not suit models. The tests that follow share the session.

    PostgreSQL compiles what it takes for an expensive query. Of the views here, which
    stand on one another, its estimates are too high: compiling took half of a build's
    seconds at 20,000 stories.
-#}
{% macro session_settings() -%}
    {{ adapter.dispatch('session_settings')() }}
{%- endmacro %}

{% macro default__session_settings() -%}
{%- endmacro %}

{% macro postgres__session_settings() -%}
    set jit = off
{%- endmacro %}

{#- Redshift inherits from PostgreSQL, and has no such setting. -#}
{% macro redshift__session_settings() -%}
{%- endmacro %}
