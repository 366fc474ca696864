-- Range joins on the windows of iterations rely on this.
with

iterations as (

    select * from {{ ref('int_iterations') }}

),

with_next as (

    select
        *,
        lead(starts_at) over (
            partition by project_id
            order by starts_at, iteration_number
        ) as next_starts_at
    from iterations

)

select
    iteration_key,
    starts_at,
    finishes_at,
    next_starts_at
from with_next
where next_starts_at < finishes_at
