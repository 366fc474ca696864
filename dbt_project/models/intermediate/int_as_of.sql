with

extracts as (

    select * from {{ ref('stg_pivotal_tracker__extracts') }}

),

final as (

    select coalesce({{ as_of_override() }}, max(as_of)) as as_of
    from extracts

)

select * from final
