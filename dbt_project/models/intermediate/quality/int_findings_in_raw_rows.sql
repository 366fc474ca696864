{%- set keys = {
    'projects': 'project_id', 'stories': 'story_id', 'activities': 'activity_id',
    'activity_changes': "activity_id || ' change ' || change_index",
    'story_transitions': "story_id || '-' || project_version",
    'story_parts': 'part_id', 'epic_comments': 'comment_id',
    'iterations': 'iteration_key',
    'history_days': "project_id || '-' || history_date",
    'cycle_time_details': 'story_id', 'attachments': 'attachment_id',
    'labels': 'label_id', 'epics': 'epic_id', 'releases': 'release_id',
    'memberships': 'membership_id', 'notifications': 'notification_id'
} -%}

-- What staging repaired (values that are not possible), what it left out (rows whose
-- key is repeated or missing, what was excluded on request), what ingestion refused.
with

values_repaired as (

    {% for name, key in keys.items() %}
    select
        project_id,
        {{ {
            'story_transitions': "'story_nested_transitions'",
            'story_parts': "'story_' || part_kind || 's'"
        }.get(name, "'" ~ name ~ "'") }} || ' ' || {{ key }} as row_key,
        repairs
    from {{ ref((
        'int_' if name.endswith('_changes') else 'stg_pivotal_tracker__'
    ) ~ name) }}
    where repairs is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

values_by_row as (

    select
        row_key,
        min(project_id) as project_id,
        min(repairs) as repairs
    from values_repaired
    group by row_key

),

iterations as (

    select * from {{ ref('stg_pivotal_tracker__iterations') }}

),

iterations_cut as (

    select * from iterations
    where is_overlapping

),

keys_repeated as (

    select
        cast(null as bigint) as project_id,
        raw_name || ' ' || row_key as row_key,
        row_count
    from {{ ref('stg_pivotal_tracker__repeated_keys') }}

),

{% for name, raw in raw_keys().items() %}
{{ name }}_read as (

    {{ read_rows(name) }}

),

{{ name }}_unusable as (

    select
        {{ raw.project or 'cast(null as bigint)' }} as project_id,
        count(*) as row_count
    from {{ name }}_read
    where not ({{ is_usable(raw) }})
    {%- if raw.project %}
    group by {{ raw.project }}
    {%- endif %}

),

{% endfor %}
rows_unusable as (

    {% for name in raw_keys() %}
    select
        project_id,
        '{{ name }}' || coalesce(' of project ' || project_id, '') as row_key,
        row_count
    from {{ name }}_unusable
    where row_count > 0
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

{% for name, (table, list, key) in raw_lists().items() %}
{% set parent = ['project_id', 'number'] if table == 'iterations' else ['id'] %}
{{ name }}_rows as (

    {{ raw_rows(table) }}

),

{{ name }}_elements as (

    {{ unnest_json_list(
        name ~ '_rows', list, (['project_id', 'read_by'] + parent) | unique | list,
        fields=raw_list_fields(name), element_type='bigint'
    ) }}

),

{{ name }}_keys as (

    select
        project_id,
        '{{ name }} of ' || {{ row_key(parent) }} as parent_key,
        '{{ name }} ' || {{ row_key(key) }} as element_key,
        {{ is_usable_element(name) }} as is_usable
    from {{ name }}_elements

),

{{ name }}_by_key as (

    select
        case when is_usable then element_key else parent_key end as row_key,
        not is_usable as is_unusable,
        min(project_id) as project_id,
        count(*) as row_count
    from {{ name }}_keys
    group by
        is_usable,
        case when is_usable then element_key else parent_key end
    having
        count(*) > 1
        or not is_usable

),

{% endfor %}
-- Iterations whose start is not before their finish, or that others cover completely.
iterations_left_out as (

    select
        given.project_id,
        'iterations ' || given.project_id || '-' || given.number as row_key,
        'start ' || coalesce({{ as_text('given.start') }}, 'unknown')
        || '; finish ' || coalesce({{ as_text('given.finish') }}, 'unknown') as evidence
    from iteration_stories_rows as given
    left join iterations
        on
            given.project_id = iterations.project_id
            and given.number = iterations.iteration_number
    where iterations.iteration_key is null

),

elements_by_key as (

    {% for name in raw_lists() %}
    select * from {{ name }}_by_key
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

rows_excluded as (

    {% for what in ['project', 'story'] %}
    {% for id in excluded_ids(what).split(', ') if id %}
    select
        {{ id if what == 'project' else 'cast(null as bigint)' }} as project_id,
        '{{ what }} {{ id }}' as row_key
    union all
    {% endfor %}
    {% endfor %}
    select
        cast(null as bigint) as project_id,
        '' as row_key
    where false

),

orphan_transitions as (

    select
        transitions.story_id,
        min(transitions.project_id) as project_id,
        count(*) as transition_count
    from {{ ref('stg_pivotal_tracker__story_transitions') }} as transitions
    left join {{ ref('int_stories_last_known') }} as stories
        on transitions.story_id = stories.story_id
    where
        stories.story_id is null
        and not transitions.is_nested
    group by transitions.story_id

),

refused_rows as (

    select
        cast(null as bigint) as project_id,
        rejection_id,
        coalesce(request, file_path, raw_table_name, '')
        || coalesce(':' || {{ as_text('line_number') }}, '')
        || coalesce(', record ' || {{ as_text('record_number') }}, '')
        || coalesce(': ' || column_name, '')
        || ': '
        || reason as refusal
    from {{ ref('stg_pivotal_tracker__rejected_rows') }}

),

final as (

    {{ findings([
        ('value_impossible', 'values_by_row', 'row_key', 'repairs'),
        (
            'iteration_overlap', 'iterations_cut', 'iteration_key',
            instant_evidence('given_starts_at', 'starts_at')
        ),
        ('row_repeated', 'keys_repeated', 'row_key', "'rows ' || row_count"),
        (
            'row_repeated', 'elements_by_key', 'row_key', "'rows ' || row_count",
            'not is_unusable'
        ),
        ('row_unusable', 'rows_unusable', 'row_key', "'rows ' || row_count"),
        (
            'row_unusable', 'elements_by_key', 'row_key', "'rows ' || row_count",
            'is_unusable'
        ),
        ('row_unusable', 'iterations_left_out', 'row_key', 'evidence'),
        ('excluded', 'rows_excluded', 'row_key', "'by a variable'"),
        (
            'orphan_transition', 'orphan_transitions', 'story_id',
            "'transitions ' || transition_count"
        ),
        ('row_refused', 'refused_rows', 'rejection_id', 'refusal')
    ]) }}

)

select * from final
