{%- set dated_records = [
    ('stg_pivotal_tracker__projects', ['created_at', 'updated_at']),
    ('stg_pivotal_tracker__memberships', ['created_at', 'updated_at']),
    ('stg_pivotal_tracker__labels', ['created_at', 'updated_at']),
    ('stg_pivotal_tracker__epics', ['created_at', 'updated_at']),
    ('stg_pivotal_tracker__epic_comments', ['created_at', 'updated_at']),
    (
        'stg_pivotal_tracker__stories',
        ['created_at', 'updated_at', 'accepted_at', 'deleted_at']
    ),
    ('stg_pivotal_tracker__story_comments', ['created_at', 'updated_at']),
    ('stg_pivotal_tracker__story_tasks', ['created_at', 'updated_at']),
    ('stg_pivotal_tracker__story_blockers', ['created_at', 'updated_at']),
    ('stg_pivotal_tracker__story_reviews', ['created_at', 'updated_at']),
    ('stg_pivotal_tracker__story_nested_transitions', ['occurred_at']),
    ('stg_pivotal_tracker__story_transitions', ['occurred_at']),
    ('stg_pivotal_tracker__activities', ['occurred_at']),
] -%}
-- A table: whatever speaks for an instant reads it.
{{ config(materialized='table') }}

with

extracts as (

    select * from {{ ref('stg_pivotal_tracker__extracts') }}

),

archive_files as (

    select
        archive_files.project_id,
        archive_files.projects_read,
        archive_files.as_of,
        extracts.ended_at
    from {{ ref('stg_pivotal_tracker__archive_files') }} as archive_files
    left join extracts
        on archive_files.load_id = extracts.load_id

),

-- A file of recorded answers can hold several projects, each read at another instant.
recorded_projects as (

    {{ unnest_json_list(
        from_cte='archive_files',
        list_column='projects_read',
        keep=['ended_at'],
        fields={'project_id': 'bigint', 'as_of': 'timestamp'}
    ) }}

),

-- An extract names the projects that it read or found unchanged. That of an archive has
-- one as_of for files of different ages, so that its files count instead.
api_extracts as (

    select * from extracts
    where source_kind != 'archive'

),

projects_read as (

    {{ unnest_json_list(
        from_cte='api_extracts',
        list_column='project_ids',
        keep=['as_of'],
        element_type='bigint'
    ) }}

),

-- A story can be in a project of which nothing else is known than that it moved there.
moves as (

    select
        moved_to_project_id as project_id,
        max(occurred_at) as known_at
    from {{ ref('int_activity_changes') }}
    where moved_to_project_id is not null
    group by moved_to_project_id

),

api_readings as (

    select
        element as project_id,
        max(as_of) as api_as_of
    from projects_read
    group by element

),

known_instants as (

    select
        project_id,
        api_as_of as known_at
    from api_readings
    union all
    select
        project_id,
        {{ earliest('as_of', 'ended_at') }} as known_at
    from archive_files
    union all
    select
        element_project_id as project_id,
        {{ earliest('element_as_of', 'ended_at') }} as known_at
    from recorded_projects
    {% for model, columns in dated_records %}
    union all
    select
        project_id,
        max({{ latest(*columns) if columns | length > 1 else columns[0] }}) as known_at
    from {{ ref(model) }}
    group by project_id
    {% endfor %}

),

newest_by_project as (

    select
        project_id,
        max(known_at) as known_at
    from known_instants
    where project_id is not null
    group by project_id
    union all
    select
        moves.project_id,
        moves.known_at
    from moves
    left join known_instants
        on moves.project_id = known_instants.project_id
    where known_instants.project_id is null

),

readings as (

    select max(ended_at) as read_at
    from extracts

),

-- A project of which no instant is known speaks for the newest of all, or the reading.
with_fallback as (

    select
        newest_by_project.project_id,
        coalesce(
            newest_by_project.known_at,
            max(newest_by_project.known_at) over (),
            readings.read_at
        ) as known_at
    from newest_by_project
    cross join readings

),

final as (

    select
        with_fallback.project_id,
        {{ earliest('with_fallback.known_at', as_of_override()) }} as as_of,
        with_fallback.known_at as newest_known_at,
        api_readings.api_as_of
    from with_fallback
    left join api_readings
        on with_fallback.project_id = api_readings.project_id

)

select * from final
