with

transitions as (

    select * from {{ ref('int_story_transitions') }}

),

-- A round lasts from a rejection until the next one; round 0 is what came before.
numbered as (

    select
        *,
        sum(case when to_state = 'rejected' then 1 else 0 end) over (
            partition by story_id
            order by transition_number
            rows between unbounded preceding and current row
        ) as rejection_number
    from transitions

),

rounds as (

    select
        story_id,
        rejection_number,
        min(transition_number) as transition_number,
        min(case when to_state = 'started' then occurred_at end) as restarted_at,
        min(case when to_state = 'delivered' then occurred_at end) as redelivered_at,
        max(case when to_state = 'delivered' then occurred_at end) as last_delivered_at,
        min(accepted_at) as accepted_at
    from numbered
    group by
        story_id,
        rejection_number

),

with_neighbours as (

    select
        *,
        lag(last_delivered_at) over (partition by story_id order by rejection_number)
            as delivered_at,
        lead(rejection_number) over (
            partition by story_id
            order by rejection_number
        ) is not null as is_rejected_again
    from rounds

),

final as (

    select
        story_id,
        cast(rejection_number as bigint) as rejection_number,
        transition_number,
        is_rejected_again,
        delivered_at,
        restarted_at,
        redelivered_at,
        accepted_at
    from with_neighbours
    where rejection_number > 0

)

select * from final
