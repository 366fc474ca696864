-- A table: velocities and their mart read it, and it is small.
{{ config(materialized='table') }}

with

stories as (

    select * from {{ ref('int_stories') }}
    where
        not is_deleted
        and coalesce(story_type, '') != 'release'

),

stories_with_cycle_times as (

    select * from {{ ref('int_stories_with_cycle_times') }}

),

accepted_stories as (

    select
        stories.*,
        stories_with_cycle_times.accepted_iteration_key as iteration_key,
        stories_with_cycle_times.rejected_count,
        stories_with_cycle_times.cycle_time_seconds,
        -- Chores go from started to accepted and cannot be rejected.
        stories.story_type in ('feature', 'bug') as is_rejectable
    from stories
    inner join stories_with_cycle_times
        on stories.story_id = stories_with_cycle_times.story_id
    where stories_with_cycle_times.accepted_iteration_key is not null

),

acceptances as (

    select
        iteration_key,
        sum(coalesce(estimate, 0)) as accepted_points,
        count(*) as accepted_story_count,
        {% for story_type in ['feature', 'bug', 'chore'] %}
        count(case when story_type = '{{ story_type }}' then 1 end)
            as accepted_{{ story_type }}_count,
        {% endfor %}
        count(case when is_history_known then 1 end) as history_known_story_count,
        count(case when is_rejectable then 1 end) as rejectable_story_count,
        count(case when is_rejectable and is_history_known then 1 end)
            as history_known_rejectable_story_count,
        count(
            case
                when is_rejectable and is_history_known and rejected_count > 0 then 1
            end
        ) as rejected_story_count,
        {{ median('cycle_time_seconds') }} as median_cycle_time_seconds
    from accepted_stories
    group by iteration_key

),

ranked_cycle_times as (

    select
        iteration_key,
        cycle_time_seconds,
        row_number() over (
            partition by iteration_key
            order by cycle_time_seconds
        ) as cycle_time_rank,
        count(*) over (partition by iteration_key) as cycle_time_count
    from accepted_stories
    where cycle_time_seconds is not null

),

cycle_times as (

    select
        iteration_key,
        {{ discrete_percentile(
            'cycle_time_seconds', 'cycle_time_rank', 'cycle_time_count', 85
        ) }} as p85_cycle_time_seconds
    from ranked_cycle_times
    group by iteration_key

),

created_bugs as (

    select
        stories_with_cycle_times.created_iteration_key as iteration_key,
        count(*) as bug_created_count
    from stories
    inner join stories_with_cycle_times
        on stories.story_id = stories_with_cycle_times.story_id
    where stories.story_type = 'bug'
    group by stories_with_cycle_times.created_iteration_key

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
        {{ zero_if_read('acceptances.' ~ measure, 'iterations') }} as {{ measure }},
        {% endfor %}
        case
            when
                coalesce(acceptances.rejectable_story_count, 0) = 0
                and iterations.are_stories_read
                then cast(0 as bigint)
            when acceptances.history_known_rejectable_story_count > 0
                then acceptances.rejected_story_count
        end as rejected_story_count,
        {{ zero_if_read('created_bugs.bug_created_count', 'iterations') }}
            as bug_created_count,
        {{ zero_if_read('acceptances.accepted_points', 'iterations') }}
            as accepted_points,
        acceptances.median_cycle_time_seconds,
        cycle_times.p85_cycle_time_seconds
    from iterations
    left join acceptances
        on iterations.iteration_key = acceptances.iteration_key
    left join cycle_times
        on iterations.iteration_key = cycle_times.iteration_key
    left join created_bugs
        on iterations.iteration_key = created_bugs.iteration_key
    where not iterations.is_future

)

select * from final
