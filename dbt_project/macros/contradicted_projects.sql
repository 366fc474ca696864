{#-
    Selects the projects with a story whose row contradicts its history about whether or when it
    was accepted, or that was accepted at an unknown time. Some marts use such a story's row and
    others its history, so tests that compare the two exclude its project.
-#}
{% macro contradicted_projects() -%}
    select stories.project_id
    from {{ ref('fct_story_cycle_time') }} as stories
    left join {{ ref('fct_acceptance') }} as acceptances
        on
            stories.story_id = acceptances.story_id
            and acceptances.undone_at is null
    where
        not stories.is_deleted
        and (
            {{ differ('stories.accepted_at', 'acceptances.accepted_at') }}
            or (stories.is_accepted and stories.accepted_at is null)
        )
    group by stories.project_id
{%- endmacro %}
