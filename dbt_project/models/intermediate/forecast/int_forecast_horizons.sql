{{ config(enabled=is_built('plans')) }}
with

cuts as (

    select * from {{ ref('int_forecast_cuts') }}

),

targets as (

    select * from {{ ref('int_forecast_targets') }}

),

-- Whole weeks only: until a deadline in 20 days there are two.
final as (

    {% for horizon in forecast_horizons() %}
    select
        project_id,
        cut_date,
        'project' as target_kind,
        project_id as target_id,
        cast({{ horizon }} as bigint) as horizon_week_count,
        cut_date + {{ 7 * horizon }} as horizon_date
    from cuts

    union all

    {% endfor %}
    select
        project_id,
        cut_date,
        target_kind,
        target_id,
        cast(floor(
            {{ days_between('cut_date', 'deadline_date') }} / 7.0
        ) as bigint) as horizon_week_count,
        deadline_date as horizon_date
    from targets
    where deadline_date is not null

)

select * from final
