with

-- The transition after an acceptance tells whether it was undone, when and by whom.
transitions as (

    select
        *,
        lead(to_state) over (partition by story_id order by transition_number)
            as next_state,
        lead(performed_by_id) over (partition by story_id order by transition_number)
            as next_performed_by_id,
        lead(occurred_at) over (partition by story_id order by transition_number)
            as next_occurred_at
    from {{ ref('fct_story_transition') }}

),

-- A round ends with a decision: it holds the delivery that the decision answers.
numbered as (

    select
        *,
        sum(case when to_state in ('accepted', 'rejected') then 1 else 0 end) over (
            partition by story_id
            order by transition_number
            rows between unbounded preceding and 1 preceding
        ) as earlier_decision_count,
        sum(case when to_state = 'accepted' then 1 else 0 end) over (
            partition by story_id
            order by transition_number
            rows between unbounded preceding and current row
        ) as acceptance_number,
        sum(case when to_state = 'rejected' then 1 else 0 end) over (
            partition by story_id
            order by transition_number
            rows between unbounded preceding and current row
        ) as rejection_count
    from transitions

),

with_deliveries as (

    select
        *,
        max(case when to_state = 'delivered' then occurred_at end) over (
            partition by story_id, coalesce(earlier_decision_count, 0)
        ) as delivered_at
    from numbered

),

final as (

    select
        story_transition_key,
        story_id,
        project_id,
        performed_by_id,
        next_performed_by_id,
        from_state,
        to_state,
        next_state,
        record_source,
        transition_number,
        cast(acceptance_number as bigint) as acceptance_number,
        cast(rejection_count as bigint) as rejection_count,
        delivered_at,
        coalesce(accepted_at, occurred_at) as decided_at,
        next_occurred_at
    from with_deliveries
    where to_state in ('accepted', 'rejected')

)

select * from final
