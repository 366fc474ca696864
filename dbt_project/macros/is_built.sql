{#-
    Whether a subject's marts are built: not if `tracker_<subject>_enabled` is false for it or for a
    subject that it reads. Core is always built.
-#}
{% macro is_built(subject) -%}
    {%- set reads = {
        'plans': ['flow'],
        'trust': ['flow', 'iterations', 'plans', 'history'],
        'reports': ['flow', 'iterations', 'plans', 'history', 'trust'],
    } -%}
    {%- set built = [] -%}
    {%- for each in [subject] + reads.get(subject, []) -%}
        {%- do built.append(var('tracker_' ~ each ~ '_enabled')) -%}
    {%- endfor -%}
    {{ return(not built | select('false') | list) }}
{%- endmacro %}
