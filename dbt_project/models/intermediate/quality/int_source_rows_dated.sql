{%- set sources = [
    ('history_file', 'stg_pivotal_tracker__activities', 'null', 'occurred_at'),
    (
        'transitions', 'stg_pivotal_tracker__story_transitions', 'story_id',
        'occurred_at'
    ),
    (
        'nested_transitions', 'stg_pivotal_tracker__story_nested_transitions',
        'story_id', 'occurred_at'
    ),
    ('stories', 'stg_pivotal_tracker__stories', 'story_id', 'created_at'),
    ('iterations', 'stg_pivotal_tracker__iterations', 'null', 'starts_at'),
] -%}

with

deleted_stories as (

    select story_id from {{ ref('int_story_deletions') }}
    union all
    select story_id from {{ ref('stg_pivotal_tracker__stories') }}
    where is_deleted

),

dated_rows as (

    {% for source_name, model, story_id, instant in sources %}
    select
        project_id,
        cast({{ story_id }} as bigint) as story_id,
        '{{ source_name }}' as source_name,
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

-- Tracker lists no deleted stories: which of them a warehouse has read depends on when.
final as (

    select
        dated_rows.project_id,
        dated_rows.source_name,
        dated_rows.record_source,
        dated_rows.occurred_at
    from dated_rows
    left join deleted_stories
        on dated_rows.story_id = deleted_stories.story_id
    where deleted_stories.story_id is null

)

select * from final
