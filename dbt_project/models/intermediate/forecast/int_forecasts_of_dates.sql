with

targets as (

    select * from {{ ref('int_forecast_targets') }}

),

windows as (

    select * from {{ ref('int_forecast_windows') }}

),

paths as (

    select * from {{ ref('int_forecast_paths') }}

),

percentiles as (

    {% for percentile in forecast_percentiles() %}
    select {{ percentile }} as percentile
    {{ 'union all' if not loop.last }}
    {% endfor %}

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
        ) as in_time_count
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

done_by_week as (

    select
        *,
        sum(trial_count) over (
            partition by project_id, cut_date, target_kind, target_id
            order by week_number
            rows between unbounded preceding and current row
        ) as done_trial_count,
        sum(in_time_count) over (
            partition by project_id, cut_date, target_kind, target_id
            order by week_number
            rows between unbounded preceding and current row
        ) as in_time_trial_count
    from finishes

),

-- The first week by which that share of all paths has reached the target.
final as (

    select
        targets.project_id,
        targets.cut_date,
        targets.target_kind,
        targets.target_id,
        percentiles.percentile,
        min(
            case
                when
                    done_by_week.done_trial_count * 100
                    >= percentiles.percentile * windows.trial_count
                    then done_by_week.week_number
            end
        ) as forecast_week_count,
        case
            when targets.deadline_date is not null and windows.sampled_story_count > 0
                then
                    {{ as_double(
                        'coalesce(max(done_by_week.in_time_trial_count), 0)'
                    ) }}
                    / nullif(windows.trial_count, 0)
        end as in_time_share
    from targets
    cross join percentiles
    inner join windows
        on
            targets.project_id = windows.project_id
            and targets.cut_date = windows.cut_date
    left join done_by_week
        on
            targets.project_id = done_by_week.project_id
            and targets.cut_date = done_by_week.cut_date
            and targets.target_kind = done_by_week.target_kind
            and targets.target_id = done_by_week.target_id
    group by
        targets.project_id,
        targets.cut_date,
        targets.target_kind,
        targets.target_id,
        targets.deadline_date,
        percentiles.percentile,
        windows.sampled_story_count,
        windows.trial_count

)

select * from final
