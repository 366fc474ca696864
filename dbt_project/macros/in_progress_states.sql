{#- The states in which a story is in progress. Cycle time is the time in these states. -#}
{% macro in_progress_states() -%}
    ('started', 'finished', 'delivered', 'rejected')
{%- endmacro %}
