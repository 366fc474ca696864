{{ config(enabled=is_built('plans')) }}
with

project_days as (

    select * from {{ ref('int_project_days') }}

),

-- The last day is as_of's own, and not over yet.
complete_weeks as (

    select
        project_id,
        week_start_date
    from project_days
    group by
        project_id,
        week_start_date
    having max(last_date) >= week_start_date + 7

),

final as (

    select
        project_id,
        row_number() over (
            partition by project_id
            order by week_start_date
        ) as week_number,
        count(*) over (partition by project_id) as week_count,
        week_start_date,
        week_start_date + 6 as week_end_date
    from complete_weeks

)

select * from final
