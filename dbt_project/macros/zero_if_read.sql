{#-
    A count or sum of stories that is null where there were none: 0, or null if the project's stories
    were not read. The query has joined `projects_without_stories` by its left.
-#}
{% macro zero_if_read(total) -%}
    coalesce({{ total }}, case when projects_without_stories.project_id is null then 0 end)
{%- endmacro %}
