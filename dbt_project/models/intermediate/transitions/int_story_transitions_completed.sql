-- A table: states, intervals and the mart read it. At 100,000 stories and 1.4 million
-- activities the core marts take 41 CPU seconds with a view here, 37 so.
{{ config(materialized='table') }}

with

stories as (

    select * from {{ ref('int_stories_last_known') }}

),

known as (

    select * from {{ ref('int_story_transitions_before_deletion') }}

),

last_known as (

    select * from known
    where known_number = known_count

),

-- Tracker's own instant of an acceptance: of the one that stands, the story's; else the
-- one that the activity gave.
with_acceptances as (

    select
        known.*,
        case
            when known.to_state = 'accepted'
                then coalesce(
                    case
                        when
                            known.known_number = known.known_count
                            and stories.current_state = 'accepted'
                            then stories.accepted_at
                    end,
                    known.accepted_at,
                    known.occurred_at
                )
        end as tracker_accepted_at,
        coalesce(known.is_creation and known.to_state = 'accepted', false)
            as is_created_accepted
    from known
    inner join stories
        on known.story_id = stories.story_id

),

-- Accepted, but no transition says so: it is older than the history that was read.
inferred as (

    select
        stories.story_id,
        stories.project_id,
        stories.accepted_at,
        coalesce(last_known.known_count, 0) + 1 as known_number
    from stories
    left join last_known
        on stories.story_id = last_known.story_id
    where
        stories.current_state = 'accepted'
        and coalesce(last_known.to_state, '') != 'accepted'
        and stories.accepted_at is not null
        and (stories.deleted_at is null or stories.accepted_at <= stories.deleted_at)

),

unioned as (

    select
        story_id,
        project_id,
        performed_by_id,
        from_state as told_from_state,
        to_state,
        record_source,
        project_version,
        known_number,
        is_creation,
        tracker_accepted_at as accepted_at,
        occurred_at
    from with_acceptances
    where not is_created_accepted

    union all

    -- Created or imported as accepted: accepted when Tracker says so, maybe before its
    -- creation, and not by whoever created it.
    select
        story_id,
        project_id,
        null as performed_by_id,
        null as told_from_state,
        to_state,
        'inferred' as record_source,
        null as project_version,
        known_number,
        is_creation,
        tracker_accepted_at as accepted_at,
        tracker_accepted_at as occurred_at
    from with_acceptances
    where is_created_accepted

    union all

    select
        story_id,
        project_id,
        null as performed_by_id,
        null as told_from_state,
        'accepted' as to_state,
        'inferred' as record_source,
        null as project_version,
        known_number,
        false as is_creation,
        accepted_at,
        accepted_at as occurred_at
    from inferred

),

-- Known ones keep their order; an inferred one comes last at its instant.
final as (

    select
        *,
        cast(
            row_number() over (
                partition by story_id order by occurred_at, known_number
            ) as bigint
        ) as transition_number
    from unioned

)

select * from final
