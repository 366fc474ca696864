{{ config(enabled=is_built('plans')) }}
with

targets as (

    select * from {{ ref('int_forecast_targets') }}

),

windows as (

    select * from {{ ref('int_forecast_windows') }}

),

finishes as (

    select * from {{ ref('int_forecast_finishes') }}

),

percentiles as (

    {% for percentile in forecast_percentiles() %}
    select {{ percentile }} as percentile
    {{ 'union all' if not loop.last }}
    {% endfor %}

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
                    finishes.done_trial_count * 100
                    >= percentiles.percentile * windows.trial_count
                    then finishes.week_number
            end
        ) as forecast_week_count,
        case
            when
                targets.deadline_date is not null
                and targets.queue_gap_reason is null
                and windows.simulated_week_count > 0
                then
                    {{ as_double('coalesce(sum(finishes.in_time_trial_count), 0)') }}
                    / nullif(windows.trial_count, 0)
        end as in_time_share
    from targets
    cross join percentiles
    inner join windows
        on
            targets.project_id = windows.project_id
            and targets.cut_date = windows.cut_date
    left join finishes
        on
            targets.project_id = finishes.project_id
            and targets.cut_date = finishes.cut_date
            and targets.target_kind = finishes.target_kind
            and targets.target_id = finishes.target_id
    group by
        targets.project_id,
        targets.cut_date,
        targets.target_kind,
        targets.target_id,
        targets.queue_gap_reason,
        targets.deadline_date,
        percentiles.percentile,
        windows.simulated_week_count,
        windows.trial_count

)

select * from final
