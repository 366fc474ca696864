-- Do larger stories take longer, and by how much?
{{ config(enabled=is_built('flow')) }}
with

final as (

    select
        project_id,
        estimate,
        story_count,
        {{ as_double('p50_seconds') }} / 86400 as p50_days,
        {{ as_double('p85_seconds') }} / 86400 as p85_days
    from {{ ref('fct_cycle_time_by_estimate') }}
    order by
        project_id,
        estimate

)

select * from final
