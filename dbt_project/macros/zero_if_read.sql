{#-
    A count or sum of stories that is null where there were none: 0, or null if the project's stories
    were not read. `projects` is a CTE with the project's are_stories_read.
-#}
{% macro zero_if_read(total, projects) -%}
    coalesce({{ total }}, case when {{ projects }}.are_stories_read then 0 end)
{%- endmacro %}
