{#- P, the states in which a story is in progress: the clock of the cycle time runs in these. -#}
{% macro in_progress_states() -%}
    ('started', 'finished', 'delivered', 'rejected')
{%- endmacro %}
