{%- set traces = [
    ('stg_pivotal_tracker__activities', 'performed_by_id', 'occurred_at'),
    ('stg_pivotal_tracker__my_activities', 'performed_by_id', 'occurred_at'),
    ('stg_pivotal_tracker__story_transitions', 'performed_by_id', 'occurred_at'),
    ('stg_pivotal_tracker__epic_comments', 'person_id', 'created_at'),
    ('int_story_parts', 'person_id', 'created_at'),
    ('stg_pivotal_tracker__memberships', 'person_id', 'created_at'),
    ('int_stories', 'requested_by_id', 'created_at'),
    ('int_story_owners', 'person_id', 'null'),
    ('stg_pivotal_tracker__me', 'person_id', 'null'),
] -%}
with

-- People belong to no project: all but owners and token holders, of whom no instant is
-- known, must have been seen by the newest as_of.
newest as (

    select max(as_of) as as_of from {{ ref('int_projects_as_of') }}

),

-- The record of a deleted story stays in a warehouse that once read it, and a later
-- first load never finds one: what only such a record says counts in neither.
living_stories as (

    select * from {{ ref('int_stories_last_known') }}
    where delete_evidence is null

),

traces as (

    {% for model, person_id, seen_at in traces %}
    select
        {{ person_id }} as person_id,
        {{ seen_at }} as seen_at
    from {{ ref(model) }}
    {% if model == 'int_story_parts' %}
    where story_id in (select living_stories.story_id from living_stories)
    {% endif %}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

final as (

    select
        traces.person_id,
        min(traces.seen_at) as first_seen_at,
        max(traces.seen_at) as last_seen_at
    from traces
    cross join newest
    where
        traces.person_id is not null
        and (traces.seen_at is null or traces.seen_at <= newest.as_of)
    group by traces.person_id

)

select * from final
