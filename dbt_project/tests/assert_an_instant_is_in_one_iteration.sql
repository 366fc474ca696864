-- Iterations of a project do not overlap: the range joins on their windows rest on it.
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
