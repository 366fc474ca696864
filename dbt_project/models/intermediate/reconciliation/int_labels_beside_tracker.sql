{%- set states = [
    'accepted', 'delivered', 'finished', 'started', 'rejected', 'planned', 'unstarted',
    'unscheduled'
] -%}
{%- set sections = [
    ('number_of_stories_by_state', 'stories', 'count(*)'),
    ('sum_of_story_estimates_by_state', 'points', 'sum(stories.estimate)'),
    (
        'number_of_zero_point_stories_by_state', 'stories',
        'sum(case when coalesce(stories.estimate, 0) = 0 then 1 end)'
    )
] -%}

with

labels as (

    select * from {{ ref('stg_pivotal_tracker__labels') }}

),

-- Tracker counts every story that carries the label, releases too.
stories as (

    select * from {{ ref('int_stories') }}
    where not is_deleted

),

story_labels as (

    select * from {{ ref('int_story_labels') }}

),

counts_by_state as (

    select
        {% for section, _, measure in sections %}
        {{ measure }} as {{ section }},
        {% endfor %}
        story_labels.label_id,
        stories.current_state
    from story_labels
    inner join stories
        on story_labels.story_id = stories.story_id
    group by
        story_labels.label_id,
        stories.current_state

),

counts_by_label as (

    select
        {% for section, _, _ in sections %}
        {% for state in states %}
        max(case when current_state = '{{ state }}' then {{ section }} end)
            as {{ section }}_{{ state }},
        {% endfor %}
        {% endfor %}
        label_id
    from counts_by_state
    group by label_id

),

with_figures as (

    select
        counts_by_label.*,
        labels.project_id,
        labels.label_id as entity_id,
        {{ as_text('labels.label_id') }} as entity_key,
        labels.tracker_counts,
        labels.load_id,
        labels.record_source,
        labels.updated_at as stated_at
    from labels
    left join counts_by_label
        on labels.label_id = counts_by_label.label_id

),

{% set figures = [] -%}
{%- for section, unit, _ in sections -%}
{%- for state in states -%}
{%- set path = section ~ '.' ~ state -%}
        {%- do figures.append((
            'counts.' ~ path, unit, 'coalesce(' ~ section ~ '_' ~ state ~ ', 0)',
            as_decimal(json_text('tracker_counts', path)), 0
        )) -%}
{%- endfor -%}
{%- endfor -%}

final as (

    {{ figures_as_rows('with_figures', 'label', figures) }}

)

select * from final
