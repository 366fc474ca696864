with

stories_in_progress as (

    select * from {{ ref('int_stories_in_progress') }}

),

stories as (

    select * from {{ ref('dim_story') }}

),

age_ranks as (

    select
        *,
        case
            when compared_story_count >= {{ fewest_items_for_a_percentile() }}
                then
                    {{ as_double('not_longer_count') }}
                    / nullif(compared_story_count, 0)
        end as age_percentile
    from {{ ref('int_stories_with_age_ranks') }}

),

state_exits as (

    select * from {{ ref('int_state_exit_ages') }}

),

owners as (

    select * from {{ ref('int_stories_with_owner_names') }}

),

open_blockers as (

    select * from {{ ref('int_stories_with_open_blockers') }}

),

final as (

    select
        stories_in_progress.story_id,
        stories_in_progress.project_id,
        stories.story_name,
        stories_in_progress.story_type,
        stories_in_progress.current_state,
        owners.owner_names,
        case
            when age_ranks.age_percentile < 0.5 then 'low'
            when age_ranks.age_percentile < 0.85 then 'medium'
            when age_ranks.age_percentile >= 0.85 then 'high'
        end as risk,
        stories_in_progress.estimate,
        stories.open_age_days,
        stories_in_progress.age_seconds,
        stories_in_progress.age_days,
        stories_in_progress.state_age_seconds,
        stories_in_progress.rejected_count,
        age_ranks.compared_story_count,
        age_ranks.age_percentile,
        state_exits.story_count as state_compared_story_count,
        state_exits.p50_seconds as state_p50_age_seconds,
        state_exits.p85_seconds as state_p85_age_seconds,
        stories.open_blocker_count,
        stories.open_blocker_count > 0 as is_blocked,
        stories_in_progress.first_in_progress_at,
        stories_in_progress.state_entered_at,
        open_blockers.blocked_since_at
    from stories_in_progress
    inner join stories
        on stories_in_progress.story_id = stories.story_id
    left join age_ranks
        on stories_in_progress.story_id = age_ranks.story_id
    left join state_exits
        on
            stories_in_progress.project_id = state_exits.project_id
            and stories_in_progress.story_type = state_exits.story_type
            and stories_in_progress.current_state = state_exits.story_state
    left join owners
        on stories_in_progress.story_id = owners.story_id
    left join open_blockers
        on stories_in_progress.story_id = open_blockers.story_id

)

select * from final
