{#-
    A select of the projects in which a story's row says otherwise than its history: whether it
    is accepted, or when; or in which a story is accepted and nothing says when. Such a story
    counts by its row in some marts and by its history in others, so tests that compare the two
    leave out its project.
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
