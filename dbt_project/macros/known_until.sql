{#-
    The instant up to which a record of a story has all changes: its updated_at or, as in a CSV, the
    time of its file.
-#}
{% macro known_until(records, archive_files) -%}
    coalesce({{ records }}.updated_at, {{ archive_files }}.as_of)
{%- endmacro %}
