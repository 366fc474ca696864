{#-
    The key of each raw table, and the values that its rows need to be usable.

    key:      the columns that identify a row
    required: other columns that must not be null
    instants: columns that must have a possible instant (see `possible`)
    newest:   the instant by which the newest of several rows with the same key is chosen
    project, story: the columns whose ids can exclude a row (see `is_included`)
-#}
{% macro raw_keys() -%}
    {%- set of_project = {'key': ['id'], 'required': ['project_id'], 'newest': 'updated_at',
        'project': 'project_id'} -%}
    {%- set activity = {'key': ['guid'], 'required': ['project_id', 'project_version'],
        'instants': ['occurred_at'], 'newest': 'occurred_at', 'project': 'project_id'} -%}
    {{ return({
        'projects': {'key': ['id'], 'newest': 'updated_at', 'project': 'id'},
        'accounts': {'key': ['id'], 'newest': 'updated_at'},
        'me': {'key': ['id'], 'newest': 'updated_at'},
        'people': {'key': ['id']},
        'notifications': {'key': ['id'], 'newest': 'updated_at'},
        'memberships': dict(of_project, required=['project_id', 'person_id']),
        'labels': of_project,
        'epics': of_project,
        'releases': dict(of_project, story='id'),
        'stories': dict(of_project, story='id'),
        'activity': activity,
        'my_activity': activity,
        'story_transitions': {
            'key': ['project_id', 'project_version', 'story_id'], 'required': ['state'],
            'instants': ['occurred_at'], 'newest': 'occurred_at',
            'project': 'project_id', 'story': 'story_id'
        },
        'iterations': {'key': ['project_id', 'number'], 'project': 'project_id'},
        'history_days': {'key': ['project_id', 'date'], 'project': 'project_id'},
        'cycle_time_details': {'key': ['story_id'], 'story': 'story_id'},
        'attachments': {'key': ['attachment_id'], 'newest': 'created_at'},
        'archive_files': {'key': ['file'], 'newest': 'as_of'},
        'rejected_rows': {'key': ['rejection_id'], 'newest': 'as_of'},
        'extracts': {'key': ['extract_id'], 'newest': 'ended_at'},
    }) }}
{%- endmacro %}


{#-
    The lists inside records that are unnested into rows: the raw table, its column with the list,
    and the key of an element, as columns of the unnested list.
-#}
{% macro raw_lists() -%}
    {{ return({
        'story_owners': ('stories', 'owner_ids', ['id', 'element']),
        'story_labels': ('stories', 'labels', ['id', 'element_id']),
        'story_comments': ('stories', 'comments', ['element_id']),
        'story_tasks': ('stories', 'tasks', ['element_id']),
        'story_blockers': ('stories', 'blockers', ['element_id']),
        'story_reviews': ('stories', 'reviews', ['element_id']),
        'story_nested_transitions': ('stories', 'transitions', [
            'id', 'coalesce(element_project_id, project_id)', 'element_project_version'
        ]),
        'epic_comments': ('epics', 'comments', ['element_id']),
        'iteration_stories': ('iterations', 'story_ids', ['project_id', 'number', 'element']),
        'release_stories': ('releases', 'story_ids', ['id', 'element'])
    }) }}
{%- endmacro %}


{#- The fields that decide whether an element of such a list is usable, for unnesting it. -#}
{% macro raw_list_fields(name) -%}
    {%- set key = raw_lists()[name][2] -%}
    {%- if name == 'story_nested_transitions' -%}
        {{ return({
            'project_id': 'bigint', 'project_version': 'bigint', 'state': 'text',
            'occurred_at': 'text'
        }) }}
    {%- endif -%}
    {{ return({'id': 'bigint'} if key[-1] == 'element_id' else {}) }}
{%- endmacro %}


{#- Whether an element of such a list has its key and all other required values. -#}
{% macro is_usable_element(name) -%}
    {{ raw_lists()[name][2][-1] }} is not null
    {%- if name == 'story_nested_transitions' %}
    and element_state is not null
    and ({{ possible(typed_text('element_occurred_at', 'timestamp'), 'instant') }}) is not null
    {%- endif %}
{%- endmacro %}
