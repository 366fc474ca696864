{{ config(enabled=is_built('plans')) }}
with

targets as (

    select * from {{ ref('int_forecast_targets') }}
    where queue_gap_reason is null

),

paths as (

    select * from {{ ref('int_forecast_paths') }}

),

-- The week in which a path reaches the target: one at most, as paths never fall.
finishes as (

    select
        targets.project_id,
        targets.cut_date,
        targets.target_kind,
        targets.target_id,
        paths.week_number,
        count(*) as trial_count,
        count(
            case
                when
                    7 * paths.week_number
                    <= {{ days_between('targets.cut_date', 'targets.deadline_date') }}
                    then 1
            end
        ) as in_time_trial_count
    from targets
    inner join paths
        on
            targets.project_id = paths.project_id
            and targets.cut_date = paths.cut_date
            and targets.queued_story_count
            > paths.finished_story_count - paths.story_count
            and targets.queued_story_count <= paths.finished_story_count
    group by
        targets.project_id,
        targets.cut_date,
        targets.target_kind,
        targets.target_id,
        paths.week_number

),

final as (

    select
        *,
        sum(trial_count) over (
            partition by project_id, cut_date, target_kind, target_id
            order by week_number
            rows between unbounded preceding and current row
        ) as done_trial_count
    from finishes

)

select * from final
