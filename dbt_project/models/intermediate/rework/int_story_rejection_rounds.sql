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
        ) as rejection_number
    from transitions

),

rounds as (

    select
        story_id,
        rejection_number,
        min(transition_number) as transition_number,
        min(occurred_at) filter (where to_state = 'started') as restarted_at,
        min(occurred_at) filter (where to_state = 'delivered') as redelivered_at,
        max(occurred_at) filter (where to_state = 'delivered') as last_delivered_at,
        min(occurred_at) filter (where to_state = 'accepted') as accepted_at
    from numbered
    group by
        story_id,
        rejection_number

),

with_neighbours as (

    select
        *,
        lag(last_delivered_at) over story_rounds as delivered_at,
        lead(rejection_number) over story_rounds is not null as is_rejected_again
    from rounds
    window story_rounds as (
        partition by story_id
        order by rejection_number
    )

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
