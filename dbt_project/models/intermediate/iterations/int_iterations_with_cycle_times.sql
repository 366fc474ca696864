with

stories as (

    select * from {{ ref('int_stories') }}
    where
        not is_deleted
        and coalesce(story_type, '') != 'release'

),

stories_with_iterations as (

    select * from {{ ref('int_stories_with_iterations') }}

),

time_in_states as (

    select * from {{ ref('int_stories_with_time_in_states') }}

),

ranked_cycle_times as (

    select
        stories_with_iterations.accepted_iteration_key as iteration_key,
        time_in_states.cycle_time_seconds,
        row_number() over (
            partition by stories_with_iterations.accepted_iteration_key
            order by time_in_states.cycle_time_seconds
        ) as cycle_time_rank,
        count(*) over (
            partition by stories_with_iterations.accepted_iteration_key
        ) as cycle_time_count
    from stories
    inner join stories_with_iterations
        on stories.story_id = stories_with_iterations.story_id
    inner join time_in_states
        on stories.story_id = time_in_states.story_id
    where
        stories_with_iterations.accepted_iteration_key is not null
        and time_in_states.cycle_time_seconds is not null

),

final as (

    select
        iteration_key,
        {{ discrete_percentile(
            'cycle_time_seconds', 'cycle_time_rank', 'cycle_time_count', 85
        ) }} as p85_cycle_time_seconds
    from ranked_cycle_times
    group by iteration_key

)

select * from final
