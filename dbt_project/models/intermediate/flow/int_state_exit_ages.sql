with

accepted_stories as (

    select * from {{ ref('fct_story_cycle_time') }}
    where
        is_accepted
        and not is_deleted

),

intervals as (

    select * from {{ ref('fct_story_state_interval') }}
    where
        is_in_progress
        and not is_inferred

),

with_ages as (

    select
        story_id,
        story_state,
        sum(interval_seconds) over (
            partition by story_id
            order by interval_number
            rows between unbounded preceding and current row
        ) as age_seconds
    from intervals

),

-- A story that came back to a state left it for good with its last exit.
last_exits as (

    select
        story_id,
        story_state,
        cast(max(age_seconds) as bigint) as exit_age_seconds
    from with_ages
    group by
        story_id,
        story_state

),

ranked as (

    select
        accepted_stories.project_id,
        accepted_stories.story_type,
        last_exits.story_state,
        last_exits.exit_age_seconds,
        row_number() over (
            partition by
                accepted_stories.project_id,
                accepted_stories.story_type,
                last_exits.story_state
            order by last_exits.exit_age_seconds
        ) as exit_age_rank,
        count(*) over (
            partition by
                accepted_stories.project_id,
                accepted_stories.story_type,
                last_exits.story_state
        ) as exit_count
    from accepted_stories
    inner join last_exits
        on accepted_stories.story_id = last_exits.story_id

),

final as (

    select
        project_id,
        story_type,
        story_state,
        count(*) as story_count,
        {{ discrete_percentile('exit_age_seconds', 'exit_age_rank', 'exit_count', 50) }}
            as p50_seconds,
        {{ discrete_percentile('exit_age_seconds', 'exit_age_rank', 'exit_count', 85) }}
            as p85_seconds
    from ranked
    group by
        project_id,
        story_type,
        story_state

)

select * from final
