{%- set traces = [
    ('stg_pivotal_tracker__activities', 'performed_by_id', 'occurred_at'),
    ('stg_pivotal_tracker__my_activities', 'performed_by_id', 'occurred_at'),
    ('stg_pivotal_tracker__story_transitions', 'performed_by_id', 'occurred_at'),
    ('int_story_parts', 'person_id', 'created_at'),
    ('stg_pivotal_tracker__memberships', 'person_id', 'created_at'),
    ('int_stories', 'requested_by_id', 'created_at'),
    ('bridge_story_owner', 'person_id', 'null'),
    ('stg_pivotal_tracker__people', 'person_id', 'null'),
] -%}

with

projects_as_of as (

    select * from {{ ref('int_projects') }}

),

people as (

    select * from {{ ref('int_people') }}

),

memberships as (

    select * from {{ ref('stg_pivotal_tracker__memberships') }}

),

-- A warehouse keeps the record of a deleted story if it once read one, and a later
-- first load never finds it: what only such a record says counts in neither.
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
    where
        story_id in (select living_stories.story_id from living_stories)
        or epic_id is not null
    {% elif model == 'stg_pivotal_tracker__story_transitions' %}
    where not is_nested
    {% elif model == 'stg_pivotal_tracker__people' %}
    where named_in = 'me'
    {% endif %}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- People have no project: all except owners and token owners, who have no known
-- instant, must appear by the newest as_of.
newest as (

    select max(as_of) as as_of from projects_as_of

),

people_seen as (

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

),

membership_lists as (

    select count(*) as membership_count from memberships

),

memberships_by_person as (

    select
        memberships.person_id,
        count(*) as project_count
    from memberships
    inner join projects_as_of
        on memberships.project_id = projects_as_of.project_id
    where
        coalesce(memberships.membership_role, '') != 'inactive'
        and (
            memberships.created_at is null
            or memberships.created_at <= projects_as_of.as_of
        )
    group by memberships.person_id

),

final as (

    select
        people_seen.person_id,
        people.person_name,
        people.initials,
        people.username,
        people.email,
        case
            when membership_lists.membership_count > 0
                then coalesce(memberships_by_person.project_count, 0)
        end as project_count,
        case
            when membership_lists.membership_count > 0
                then memberships_by_person.person_id is not null
        end as is_member,
        people_seen.first_seen_at,
        people_seen.last_seen_at
    from people_seen
    cross join membership_lists
    left join people
        on people_seen.person_id = people.person_id
    left join memberships_by_person
        on people_seen.person_id = memberships_by_person.person_id

)

select * from final
