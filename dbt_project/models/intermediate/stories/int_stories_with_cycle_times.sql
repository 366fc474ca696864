{%- set states = ['started', 'finished', 'delivered', 'rejected'] -%}

-- A table: three models read it.
{{ config(materialized='table') }}

with

stories as (

    select * from {{ ref('int_stories') }}

),

iterations as (

    select * from {{ ref('int_iterations') }}

),

-- The entry into an inferred first interval was not recorded, so its time counts in
-- daily flow only.
intervals as (

    select * from {{ ref('int_story_state_intervals') }}
    where not is_inferred

),

last_known as (

    select
        story_id,
        max(interval_number) as interval_number
    from intervals
    where record_source != 'inferred'
    group by story_id

),

last_known_states as (

    select
        intervals.story_id,
        intervals.story_state as last_known_state
    from intervals
    inner join last_known
        on
            intervals.story_id = last_known.story_id
            and intervals.interval_number = last_known.interval_number

),

time_in_states as (

    select
        story_id,
        {% for state in states %}
        min(case when story_state = '{{ state }}' then entered_at end)
            as first_{{ state }}_at,
        cast(
            coalesce(
                sum(case when story_state = '{{ state }}' then interval_seconds end), 0
            ) as bigint
        ) as {{ state }}_seconds,
        count(case when story_state = '{{ state }}' then 1 end) as {{ state }}_count,
        {% endfor %}
        cast(sum(case
            when story_state in {{ in_progress_states() }} then interval_seconds
        end) as bigint) as cycle_time_seconds,
        min(case when story_state in {{ in_progress_states() }} then entered_at end)
            as first_in_progress_at,
        max(case
            when story_state in {{ in_progress_states() }} or story_state = 'accepted'
                then left_at
        end) as last_worked_on_until,
        min(accepted_at) as first_accepted_at,
        max(case when story_state = 'accepted' then entered_at end) as last_accepted_at,
        count(
            case when story_state = 'accepted' and next_state != 'accepted' then 1 end
        ) as unaccepted_count
    from intervals
    group by story_id

),

-- Each range join finds at most one iteration: those of a project are half-open, and
-- the next one starts where one finishes (assert_iterations_do_not_overlap).
final as (

    select
        stories.story_id,
        accepted_iterations.iteration_key as accepted_iteration_key,
        created_iterations.iteration_key as created_iteration_key,
        {% for state in states %}
        time_in_states.first_{{ state }}_at,
        time_in_states.{{ state }}_seconds,
        time_in_states.{{ state }}_count,
        {% endfor %}
        time_in_states.cycle_time_seconds,
        time_in_states.first_in_progress_at,
        time_in_states.last_worked_on_until,
        time_in_states.first_accepted_at,
        time_in_states.last_accepted_at,
        time_in_states.unaccepted_count,
        last_known_states.last_known_state
    from stories
    left join time_in_states
        on stories.story_id = time_in_states.story_id
    left join last_known_states
        on stories.story_id = last_known_states.story_id
    left join iterations as accepted_iterations
        on
            stories.project_id = accepted_iterations.project_id
            and stories.accepted_at >= accepted_iterations.starts_at
            and stories.accepted_at < accepted_iterations.finishes_at
    left join iterations as created_iterations
        on
            stories.project_id = created_iterations.project_id
            and stories.created_at >= created_iterations.starts_at
            and stories.created_at < created_iterations.finishes_at

)

select * from final
