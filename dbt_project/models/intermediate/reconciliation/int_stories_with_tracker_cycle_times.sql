{%- set states = ['started', 'finished', 'delivered', 'rejected'] -%}

with

cycle_time_details as (

    select * from {{ ref('stg_pivotal_tracker__cycle_time_details') }}

),

stories as (

    select * from {{ ref('fct_story_cycle_time') }}

),

causes as (

    select * from {{ ref('int_stories_with_causes_of_difference') }}

),

joined as (

    select
        cycle_time_details.story_id,
        coalesce(stories.project_id, cycle_time_details.project_id) as project_id,
        cycle_time_details.load_id,
        cycle_time_details.record_source,
        {{ as_instant('null') }} as stated_at,
        cycle_time_details.tracker_total_cycle_time_ms,
        {% for state in states %}
        cycle_time_details.tracker_{{ state }}_time_ms,
        cycle_time_details.tracker_{{ state }}_count,
        {% endfor %}
        stories.cycle_time_seconds,
        {% for state in states %}
        stories.{{ state }}_seconds,
        stories.{{ state }}_count,
        {% endfor %}
        stories.story_id is null as is_not_read,
        causes.created_state,
        causes.created_state_seconds,
        causes.running_state,
        causes.running_state_seconds,
        causes.missing_history,
        case causes.running_state
            {% for state in states %}
            when '{{ state }}'
                then
                    1000 * stories.{{ state }}_seconds
                    - cycle_time_details.tracker_{{ state }}_time_ms
            {% endfor %}
        end as running_difference,
        1000 * stories.cycle_time_seconds
        - cycle_time_details.tracker_total_cycle_time_ms as total_difference
    from cycle_time_details
    left join stories
        on cycle_time_details.story_id = stories.story_id
    left join causes
        on cycle_time_details.story_id = causes.story_id

),

-- A clock that runs has run on since Tracker gave its figures: by no more than the
-- stay, and in that state only.
final as (

    select
        *,
        case
            when
                total_difference between -1000 and 1000 * running_state_seconds
                and running_difference = total_difference
                and created_state is null
                then total_difference
        end as run_on
    from joined

)

select * from final
