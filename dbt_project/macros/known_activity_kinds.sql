{#- Tracker's kinds of activity, as found in its documentation and responses. -#}
{% macro known_activity_kinds() -%}
    {%- set kinds = [] -%}
    {%- for what in [
        'story_create', 'story_update', 'story_delete', 'story_move',
        'story_move_into_project', 'story_move_from_project',
        'story_move_into_project_and_prioritize', 'comment_create',
        'comment_update', 'comment_delete', 'task_create', 'task_update',
        'task_delete', 'label_create', 'label_delete', 'label_update',
        'label_merge', 'epic_create', 'epic_update', 'epic_delete', 'epic_move',
        'blocker_create', 'blocker_update', 'blocker_delete', 'blocking_create',
        'blocking_delete', 'review_create', 'review_update', 'review_delete',
        'review_type_create', 'review_type_update', 'follower_create',
        'follower_delete', 'reaction_create', 'reaction_update', 'reaction_delete',
        'pull_request_create', 'pull_request_update', 'pull_request_delete',
        'branch_create', 'branch_delete', 'cicd_event_create', 'iteration_update',
        'project_update', 'project_membership_create', 'project_membership_update',
        'project_membership_delete', 'model_import'
    ] -%}
        {%- do kinds.append(what ~ '_activity') -%}
    {%- endfor -%}
    {{ return(kinds) }}
{%- endmacro %}
