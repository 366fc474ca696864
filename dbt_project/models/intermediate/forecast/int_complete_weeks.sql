{{ config(enabled=is_built('plans')) }}
with

throughput as (

    select * from {{ ref('fct_throughput') }}

),

-- Grouped: each story type has its own row of a week.
complete_weeks as (

    select
        project_id,
        week_start_date
    from throughput
    where is_complete
    group by
        project_id,
        week_start_date

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
