-- A table: a dozen models and tests come to it, and its rows are few.
{{ config(materialized='table') }}

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

accepted_stories as (

    select
        stories_with_iterations.accepted_iteration_key as iteration_key,
        sum(coalesce(stories.estimate, 0)) as accepted_points,
        count(*) as accepted_story_count,
        {% for story_type in ['feature', 'bug', 'chore'] %}
        count(case when stories.story_type = '{{ story_type }}' then 1 end)
            as accepted_{{ story_type }}_count,
        {% endfor %}
        count(case when stories.is_history_known then 1 end)
            as history_known_story_count,
        -- Chores go from started to accepted: nobody can reject one.
        count(case when stories.story_type in ('feature', 'bug') then 1 end)
            as rejectable_story_count,
        count(
            case
                when
                    stories.story_type in ('feature', 'bug')
                    and stories.is_history_known
                    then 1
            end
        ) as history_known_rejectable_story_count,
        count(
            case
                when
                    stories.story_type in ('feature', 'bug')
                    and stories.is_history_known
                    and time_in_states.rejected_count > 0
                    then 1
            end
        ) as rejected_story_count,
        {{ median('time_in_states.cycle_time_seconds') }} as median_cycle_time_seconds
    from stories
    inner join stories_with_iterations
        on stories.story_id = stories_with_iterations.story_id
    left join time_in_states
        on stories.story_id = time_in_states.story_id
    where stories_with_iterations.accepted_iteration_key is not null
    group by stories_with_iterations.accepted_iteration_key

),

cycle_times as (

    select * from {{ ref('int_iterations_with_cycle_times') }}

),

created_bugs as (

    select
        stories_with_iterations.created_iteration_key as iteration_key,
        count(*) as bug_created_count
    from stories
    inner join stories_with_iterations
        on stories.story_id = stories_with_iterations.story_id
    where stories.story_type = 'bug'
    group by stories_with_iterations.created_iteration_key

),

iterations as (

    select * from {{ ref('int_iterations') }}

),

final as (

    select
        iterations.iteration_key,
        iterations.project_id,
        iterations.iteration_number,
        iterations.length_weeks,
        iterations.team_strength,
        iterations.is_done,
        iterations.is_current,
        iterations.starts_at,
        iterations.finishes_at,
        {% for measure in [
            'accepted_story_count', 'accepted_feature_count', 'accepted_bug_count',
            'accepted_chore_count', 'history_known_story_count',
            'rejectable_story_count', 'history_known_rejectable_story_count'
        ] %}
        coalesce(accepted_stories.{{ measure }}, 0) as {{ measure }},
        {% endfor %}
        case
            when coalesce(accepted_stories.rejectable_story_count, 0) = 0
                then cast(0 as bigint)
            when accepted_stories.history_known_rejectable_story_count > 0
                then accepted_stories.rejected_story_count
        end as rejected_story_count,
        coalesce(created_bugs.bug_created_count, 0) as bug_created_count,
        coalesce(accepted_stories.accepted_points, 0) as accepted_points,
        accepted_stories.median_cycle_time_seconds,
        cycle_times.p85_cycle_time_seconds
    from iterations
    left join accepted_stories
        on iterations.iteration_key = accepted_stories.iteration_key
    left join cycle_times
        on iterations.iteration_key = cycle_times.iteration_key
    left join created_bugs
        on iterations.iteration_key = created_bugs.iteration_key
    where not iterations.is_future

)

select * from final
