{%- set states = ['started', 'finished', 'delivered', 'rejected'] -%}

with

-- Nobody recorded the entry into an inferred first interval: its time counts in daily
-- flow only.
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
        min(accepted_at) as first_accepted_at,
        max(case when story_state = 'accepted' then entered_at end) as last_accepted_at,
        count(
            case when story_state = 'accepted' and next_state != 'accepted' then 1 end
        ) as unaccepted_count
    from intervals
    group by story_id

),

final as (

    select
        time_in_states.*,
        last_known_states.last_known_state
    from time_in_states
    left join last_known_states
        on time_in_states.story_id = last_known_states.story_id

)

select * from final
