-- Which weeks were unusual, beyond normal variation from week to week?
{{ config(enabled=is_built('flow')) }}
with

final as (

    select
        project_id,
        measure,
        week_start_date,
        measured_value,
        lower_limit,
        upper_limit,
        limit_signal
    from {{ ref('fct_process_limit') }}
    where limit_signal in ('above', 'below')
    order by
        week_start_date desc,
        project_id asc,
        measure asc
    limit 100

)

select * from final
