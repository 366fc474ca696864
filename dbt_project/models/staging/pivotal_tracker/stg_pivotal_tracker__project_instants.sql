{#- The columns of raw tables that are instants, and the lists with such elements. -#}
{%- set instants = {
    'projects': ['created_at', 'updated_at'],
    'memberships': ['created_at', 'updated_at'],
    'labels': ['created_at', 'updated_at'],
    'epics': ['created_at', 'updated_at'],
    'stories': ['created_at', 'updated_at', 'accepted_at', 'deleted_at'],
    'story_transitions': ['occurred_at'],
    'activity': ['occurred_at'],
} -%}
{%- set lists = [
    ('epics', 'comments'), ('stories', 'comments'), ('stories', 'tasks'),
    ('stories', 'blockers'), ('stories', 'reviews'), ('stories', 'transitions')
] -%}

with

{% for name in instants.keys() | list + ['extracts', 'archive_files'] %}
{{ name }}_rows as (

    {{ raw_rows(name) }}

),

{% endfor %}
list_rows as (

    {% for name, list_column in lists %}
    select
        '{{ name }}.{{ list_column }}' as raw_name,
        project_id,
        read_by,
        {{ list_column }} as elements
    from {{ name }}_rows
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

list_elements as (

    {{ unnest_json_list(
        from_cte='list_rows',
        list_column='elements',
        keep=['raw_name', 'project_id', 'read_by'],
        fields={
            'project_id': 'bigint',
            'created_at': 'text',
            'updated_at': 'text',
            'occurred_at': 'text'
        }
    ) }}

),

list_instants as (

    select
        raw_name,
        case
            when raw_name = 'stories.transitions'
                then coalesce(element_project_id, project_id)
            else project_id
        end as project_id,
        read_by,
        {{ typed_text('element_created_at', 'timestamp') }} as created_at,
        {{ typed_text('element_updated_at', 'timestamp') }} as updated_at,
        {{ typed_text('element_occurred_at', 'timestamp') }} as occurred_at
    from list_elements

),

-- An extract names the projects that it read or found unchanged. That of an archive has
-- one as_of for files of different ages, so that its files count instead.
api_extracts as (

    select * from extracts_rows
    where source_kind != 'archive'

),

extracted_projects as (

    {{ unnest_json_list(
        from_cte='api_extracts',
        list_column='project_ids',
        keep=['as_of', 'read_by'],
        element_type='bigint'
    ) }}

),

loads as (

    select
        _dlt_load_id as load_id,
        max(ended_at) as ended_at
    from extracts_rows
    group by _dlt_load_id

),

files as (

    select
        archive_files_rows.project_id,
        archive_files_rows.projects_read,
        {{ possible('archive_files_rows.as_of', 'instant') }} as as_of,
        loads.ended_at
    from archive_files_rows
    left join loads
        on archive_files_rows._dlt_load_id = loads.load_id

),

-- A file of recorded responses can contain several projects, each read at another time.
recorded_projects as (

    {{ unnest_json_list(
        from_cte='files',
        list_column='projects_read',
        keep=['ended_at'],
        fields={'project_id': 'bigint', 'as_of': 'timestamp'}
    ) }}

),

known_instants as (

    {% for name, columns in instants.items() %}
    select
        {{ 'id' if name == 'projects' else 'project_id' }} as project_id,
        '{{ name }}' as raw_name,
        {{ latest_possible(columns) }} as known_at
    from {{ name }}_rows

    union all

    {% endfor %}
    select
        project_id,
        raw_name,
        {{ latest_possible(['created_at', 'updated_at', 'occurred_at']) }} as known_at
    from list_instants

    union all

    select
        element as project_id,
        'extracts' as raw_name,
        {{ possible('as_of', 'instant') }} as known_at
    from extracted_projects

    union all

    select
        project_id,
        'archive_files' as raw_name,
        {{ earliest('as_of', 'ended_at') }} as known_at
    from files

    union all

    select
        element_project_id as project_id,
        'archive_files' as raw_name,
        {{ earliest('element_as_of', 'ended_at') }} as known_at
    from recorded_projects

    union all

    -- Of no project: when the last run ended.
    select
        null as project_id,
        'extracts' as raw_name,
        ended_at as known_at
    from extracts_rows

),

final as (

    select
        project_id,
        raw_name,
        max(known_at) as newest_at
    from known_instants
    group by
        project_id,
        raw_name

)

select * from final
