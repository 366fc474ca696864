{%- set states = [
    'accepted', 'delivered', 'finished', 'started', 'rejected', 'planned', 'unstarted',
    'unscheduled'
] -%}
{%- set label_sections = [
    ('number_of_stories_by_state', 'stories', 'count(*)'),
    ('sum_of_story_estimates_by_state', 'points', 'sum(stories.estimate)'),
    (
        'number_of_zero_point_stories_by_state', 'stories',
        'sum(case when coalesce(stories.estimate, 0) = 0 then 1 end)'
    )
] -%}
{%- set label_figures = [] -%}
{%- for section, unit, _ in label_sections -%}
{%- for state in states -%}
    {%- do label_figures.append((
        'counts.' ~ section ~ '.' ~ state, unit,
        'coalesce(' ~ section ~ '_' ~ state ~ ', 0)',
        as_decimal(json_text('tracker_counts', section ~ '.' ~ state)), 0
    )) -%}
{%- endfor -%}
{%- endfor -%}

with

stories as (

    select * from {{ ref('int_stories') }}
    where not is_deleted

),

labels as (

    select * from {{ ref('stg_pivotal_tracker__labels') }}

),

story_labels as (

    select * from {{ ref('int_story_labels') }}

),

epics as (

    select * from {{ ref('stg_pivotal_tracker__epics') }}

),

known_epics as (

    select * from {{ ref('int_epics') }}

),

current_iterations as (

    select * from {{ ref('int_iterations') }}
    where is_current

),

releases as (

    select * from {{ ref('stg_pivotal_tracker__releases') }}

),

release_stories as (

    select * from {{ ref('stg_pivotal_tracker__release_stories') }}

),

-- Tracker counts every story with the label, including releases.
label_counts_by_state as (

    select
        {% for section, _, measure in label_sections %}
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

label_counts as (

    select
        {% for section, _, _ in label_sections %}
        {% for state in states %}
        max(case when current_state = '{{ state }}' then {{ section }} end)
            as {{ section }}_{{ state }},
        {% endfor %}
        {% endfor %}
        label_id
    from label_counts_by_state
    group by label_id

),

labels_with_figures as (

    select
        label_counts.*,
        labels.project_id,
        labels.label_id as entity_id,
        {{ as_text('labels.label_id') }} as entity_key,
        labels.tracker_counts,
        labels.load_id,
        labels.record_source,
        labels.updated_at as stated_at
    from labels
    left join label_counts
        on labels.label_id = label_counts.label_id

),

label_comparisons as (

    {{ figures_as_rows('labels_with_figures', 'label', label_figures) }}

),

-- Tracker's roll-ups of an epic leave releases out, unlike those of its label.
past_done_by_epic as (

    select
        known_epics.epic_id,
        count(*) as story_count,
        sum(stories.estimate) as points,
        sum(case when coalesce(stories.estimate, 0) = 0 then 1 else 0 end)
            as no_point_story_count
    from story_labels
    inner join known_epics
        on
            story_labels.label_id = known_epics.label_id
            and story_labels.project_id = known_epics.project_id
    inner join stories
        on story_labels.story_id = stories.story_id
    inner join current_iterations
        on stories.project_id = current_iterations.project_id
    where
        stories.accepted_at < current_iterations.starts_at
        and coalesce(stories.story_type, '') != 'release'
    group by known_epics.epic_id

),

epics_with_figures as (

    select
        epics.project_id,
        epics.epic_id as entity_id,
        {{ as_text('epics.epic_id') }} as entity_key,
        epics.load_id,
        epics.record_source,
        epics.updated_at as stated_at,
        coalesce(past_done_by_epic.story_count, 0) as story_count,
        coalesce(past_done_by_epic.points, 0) as points,
        coalesce(past_done_by_epic.no_point_story_count, 0) as no_point_story_count,
        epics.tracker_past_done_stories_count,
        epics.tracker_past_done_story_estimates,
        epics.tracker_past_done_stories_no_point_count
    from epics
    left join past_done_by_epic
        on epics.epic_id = past_done_by_epic.epic_id

),

epic_comparisons as (

    {{ figures_as_rows('epics_with_figures', 'epic', [
        (
            'past_done_stories_count', 'stories',
            'story_count', 'tracker_past_done_stories_count', 0
        ),
        (
            'past_done_story_estimates', 'points',
            'points', 'tracker_past_done_story_estimates', 0
        ),
        (
            'past_done_stories_no_point_count', 'stories',
            'no_point_story_count', 'tracker_past_done_stories_no_point_count', 0
        )
    ]) }}

),

-- Tracker says which stories a release covers; their points and states are ours.
release_counts as (

    select
        release_stories.release_id,
        count(*) as story_count,
        sum(stories.estimate) as points,
        count(case when stories.current_state = 'accepted' then 1 end)
            as accepted_story_count,
        sum(case when stories.current_state = 'accepted' then stories.estimate end)
            as accepted_points
    from release_stories
    inner join stories
        on release_stories.story_id = stories.story_id
    group by release_stories.release_id

),

releases_with_figures as (

    select
        releases.project_id,
        releases.release_id as entity_id,
        {{ as_text('releases.release_id') }} as entity_key,
        releases.load_id,
        releases.record_source,
        {{ as_instant('null') }} as stated_at,
        coalesce(release_counts.accepted_points, 0) as accepted_points,
        coalesce(release_counts.points, 0) as points,
        coalesce(release_counts.accepted_story_count, 0) as accepted_story_count,
        coalesce(release_counts.story_count, 0) as story_count,
        releases.tracker_points_accepted,
        releases.tracker_points_total,
        releases.tracker_counts_accepted,
        releases.tracker_counts_total
    from releases
    left join release_counts
        on releases.release_id = release_counts.release_id

),

release_comparisons as (

    {{ figures_as_rows('releases_with_figures', 'release', [
        ('points_accepted', 'points', 'accepted_points', 'tracker_points_accepted', 0),
        ('points_total', 'points', 'points', 'tracker_points_total', 0),
        (
            'counts_accepted', 'stories',
            'accepted_story_count', 'tracker_counts_accepted', 0
        ),
        ('counts_total', 'stories', 'story_count', 'tracker_counts_total', 0)
    ]) }}

),

final as (

    select * from label_comparisons
    union all
    select * from epic_comparisons
    union all
    select * from release_comparisons

)

select * from final
