{{ config(enabled=is_built('trust')) }}
{%- set sources = [
    ('history_file', 'stg_pivotal_tracker__activities', 'null', 'occurred_at'),
    (
        'transitions', 'stg_pivotal_tracker__story_transitions', 'story_id',
        'occurred_at'
    ),
    ('stories', 'stg_pivotal_tracker__stories', 'story_id', 'created_at'),
    ('iterations', 'stg_pivotal_tracker__iterations', 'null', 'starts_at'),
] -%}

with

projects_as_of as (

    select * from {{ ref('int_projects') }}

),

version_periods as (

    select * from {{ ref('int_project_version_periods') }}

),

deleted_stories as (

    select story_id from {{ ref('int_stories_last_known') }}
    where delete_evidence is not null

),

dated_rows as (

    {% for source_name, model, story_id, instant in sources %}
    select
        project_id,
        cast({{ story_id }} as bigint) as story_id,
        {% if source_name == 'transitions' %}
        case when is_nested then 'nested_transitions' else 'transitions' end
            as source_name,
        {% else %}
        '{{ source_name }}' as source_name,
        {% endif %}
        record_source,
        {{ instant }} as occurred_at
    from {{ ref(model) }}
    {% if source_name == 'history_file' %}
    where record_source = 'history_csv'
    {% endif %}
    union all

    {% endfor %}
    select
        project_id,
        null as story_id,
        'history_days' as source_name,
        record_source,
        {{ as_instant('history_date') }} as occurred_at
    from {{ ref('stg_pivotal_tracker__history_days') }}

),

-- Tracker lists no deleted stories, so whether their rows were read depends on when a
-- warehouse was loaded: they are left out.
periods as (

    select
        dated_rows.project_id,
        dated_rows.source_name,
        dated_rows.record_source,
        cast(null as bigint) as first_project_version,
        cast(null as bigint) as last_project_version,
        count(*) as row_count,
        false as is_hole,
        min(dated_rows.occurred_at) as first_at,
        max(dated_rows.occurred_at) as last_at
    from dated_rows
    inner join projects_as_of
        on dated_rows.project_id = projects_as_of.project_id
    left join deleted_stories
        on dated_rows.story_id = deleted_stories.story_id
    where
        deleted_stories.story_id is null
        and (
            dated_rows.occurred_at is null
            or dated_rows.occurred_at <= projects_as_of.as_of
        )
    group by
        dated_rows.project_id,
        dated_rows.source_name,
        dated_rows.record_source

    union all

    select
        project_id,
        'activities' as source_name,
        record_source,
        first_version as first_project_version,
        last_version as last_project_version,
        version_count as row_count,
        is_hole,
        first_at,
        last_at
    from version_periods

),

numbered as (

    select
        *,
        cast(
            row_number() over (
                partition by project_id, source_name
                order by first_project_version, record_source
            ) as bigint
        ) as period_number
    from periods

),

final as (

    select
        project_id || '-' || source_name || '-' || period_number
            as history_coverage_key,
        project_id,
        source_name,
        record_source,
        period_number,
        first_project_version,
        last_project_version,
        row_count,
        is_hole,
        first_at,
        last_at
    from numbered

)

select * from final
