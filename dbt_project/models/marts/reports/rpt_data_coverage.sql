{{ config(enabled=is_built('reports')) }}
{%- set gaps = {
    'stories': ['story_count is null', 'a CSV export, or the stories as JSON'],
    'transitions': [
        'unknown_history_story_count > 0',
        'a project history export adds cycle times of the last six months, '
        ~ 'saved activities or a JSON dump those of all that they hold'
    ],
    'comments': [
        'uncommented_story_count > 0',
        'an export or a JSON dump with the comments of stories'
    ],
    'iterations': [
        'iteration_count is null',
        'the iterations of the project as JSON, or a CSV export with more than its '
        ~ 'icebox'
    ],
    'people': ['member_count is null', 'the memberships of the project as JSON'],
    'settings': [
        'is_setting_unknown',
        'the project as JSON, or its settings in the configuration'
    ]
} -%}

with

projects as (

    select * from {{ ref('dim_project') }}

),

stories_by_project as (

    select
        project_id,
        count(*) as story_count,
        count(case when is_history_known then 1 end) as history_known_story_count,
        count(case when not is_history_known then 1 end) as unknown_history_story_count,
        count(case when comment_count is null then 1 end) as uncommented_story_count,
        sum(comment_count) as comment_count
    from {{ ref('dim_story') }}
    where not is_deleted
    group by project_id

),

transitions_by_project as (

    select
        project_id,
        count(*) as transition_count,
        min(occurred_at) as first_transition_at,
        max(occurred_at) as last_transition_at
    from {{ ref('fct_story_transition') }}
    where record_source != 'inferred'
    group by project_id

),

-- Every project has an iteration: none means that they were not read.
iterations_by_project as (

    select
        project_id,
        count(*) as iteration_count
    from {{ ref('dim_iteration') }}
    group by project_id

),

periods as (

    select
        project_id,
        first_at,
        last_at
    from {{ ref('fct_history_coverage') }}
    where not is_hole

    union all

    {% for instant in ['created_at', 'accepted_at', 'updated_at'] %}
    select
        project_id,
        {{ instant }} as first_at,
        {{ instant }} as last_at
    from {{ ref('dim_story') }}
    where not is_deleted

    union all

    {% endfor %}
    select
        project_id,
        created_at as first_at,
        created_at as last_at
    from {{ ref('fct_comment') }}

),

periods_by_project as (

    select
        project_id,
        min(first_at) as first_at,
        max(last_at) as last_at
    from periods
    group by project_id

),

-- Grouped: each source once, however many rows are from it.
sources as (

    select
        project_id,
        record_source
    from {{ ref('dim_story') }}
    where record_source != 'activity'
    group by
        project_id,
        record_source

    union all

    select
        project_id,
        record_source || ' activities' as record_source
    from {{ ref('stg_pivotal_tracker__activities') }}
    group by
        project_id,
        record_source

),

sources_by_project as (

    select
        project_id,
        {{ joined_text('record_source') }} as record_sources
    from sources
    group by project_id

),

-- A JSON file may have records of several projects.
files_with_projects as (

    select
        project_id,
        file_path
    from {{ ref('stg_pivotal_tracker__archive_files') }}

    {% for records in ['projects', 'stories', 'activities', 'story_transitions'] %}
    union all

    select
        project_id,
        source_file as file_path
    from {{ ref('stg_pivotal_tracker__' ~ records) }}
    {% endfor %}

),

files as (

    select
        project_id,
        file_path
    from files_with_projects
    where
        project_id is not null
        and file_path is not null
    group by
        project_id,
        file_path

),

files_by_project as (

    select
        project_id,
        {{ joined_text('file_path') }} as file_paths,
        count(*) as file_count
    from files
    group by project_id

),

counted as (

    select
        projects.project_id,
        projects.project_name,
        projects.inferred_settings,
        projects.inferred_settings is not null
        or projects.time_zone is null as is_setting_unknown,
        projects.member_count,
        projects.as_of,
        sources_by_project.record_sources,
        files_by_project.file_paths,
        coalesce(files_by_project.file_count, 0) as file_count,
        case
            when projects.story_count is not null
                then coalesce(stories_by_project.story_count, 0)
        end as story_count,
        stories_by_project.history_known_story_count,
        stories_by_project.unknown_history_story_count,
        stories_by_project.uncommented_story_count,
        cast(stories_by_project.comment_count as bigint) as comment_count,
        coalesce(
            transitions_by_project.transition_count,
            case
                when
                    stories_by_project.history_known_story_count > 0
                    or (
                        stories_by_project.story_count is null
                        and projects.record_source = 'api'
                    )
                    then 0
            end
        ) as transition_count,
        iterations_by_project.iteration_count,
        periods_by_project.first_at,
        periods_by_project.last_at,
        transitions_by_project.first_transition_at,
        transitions_by_project.last_transition_at
    from projects
    left join stories_by_project
        on projects.project_id = stories_by_project.project_id
    left join transitions_by_project
        on projects.project_id = transitions_by_project.project_id
    left join iterations_by_project
        on projects.project_id = iterations_by_project.project_id
    left join sources_by_project
        on projects.project_id = sources_by_project.project_id
    left join periods_by_project
        on projects.project_id = periods_by_project.project_id
    left join files_by_project
        on projects.project_id = files_by_project.project_id

),

gaps as (

    {% for gap, (condition, remedy) in gaps.items() %}
    select
        project_id,
        '{{ gap }}' as gap_name
    from counted
    where {{ condition }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

missing_by_project as (

    select
        project_id,
        {{ joined_text('gap_name') }} as missing
    from gaps
    group by project_id

),

final as (

    select
        counted.project_id,
        counted.project_name,
        counted.record_sources,
        counted.file_paths,
        counted.inferred_settings,
        missing_by_project.missing,
        nullif(
            trim(
                {% for gap, (condition, remedy) in gaps.items() %}
                {{ '|| ' if not loop.first }}case
                    when counted.{{ condition }}
                        then '{{ gap | capitalize }}: {{ remedy }}. '
                    else ''
                end
                {% endfor %}
            ),
            ''
        ) as remedies,
        counted.file_count,
        counted.story_count,
        case
            when counted.story_count is not null
                then coalesce(counted.history_known_story_count, 0)
        end as history_known_story_count,
        counted.transition_count,
        counted.comment_count,
        counted.iteration_count,
        counted.member_count,
        counted.first_at,
        counted.last_at,
        counted.first_transition_at,
        counted.last_transition_at,
        counted.as_of
    from counted
    left join missing_by_project
        on counted.project_id = missing_by_project.project_id

)

select * from final
