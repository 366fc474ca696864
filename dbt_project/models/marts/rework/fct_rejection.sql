{{ config(enabled=is_built('rework')) }}
with

rejections as (

    select * from {{ ref('int_story_decisions') }}
    where to_state = 'rejected'

),

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

rounds_with_neighbours as (

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

with_rounds as (

    select
        rejections.*,
        cast(rounds.rejection_number as bigint) as rejection_number,
        rounds.is_rejected_again,
        rejections.from_state = 'accepted' as is_unaccept,
        rounds.delivered_at as last_delivered_at,
        rounds.restarted_at,
        rounds.redelivered_at,
        rounds.accepted_at
    from rejections
    inner join rounds_with_neighbours as rounds
        on
            rejections.story_id = rounds.story_id
            and rejections.transition_number = rounds.transition_number

),

final as (

    select
        story_transition_key as rejection_key,
        story_id,
        project_id,
        performed_by_id as rejected_by_id,
        story_type,
        case
            when accepted_at is not null then 'accepted'
            when is_rejected_again then 'rejected_again'
            when is_deleted then 'deleted'
            else 'open'
        end as outcome,
        rejection_number,
        estimate,
        case
            when not is_unaccept
                then {{ seconds_between('last_delivered_at', 'decided_at') }}
        end as delivered_to_rejected_seconds,
        {{ seconds_between('decided_at', 'restarted_at') }}
            as rejected_to_restarted_seconds,
        case
            when restarted_at <= redelivered_at
                then {{ seconds_between('restarted_at', 'redelivered_at') }}
        end as restarted_to_redelivered_seconds,
        is_unaccept,
        is_deleted,
        decided_date as rejected_date,
        last_delivered_at as delivered_at,
        decided_at as rejected_at,
        restarted_at,
        redelivered_at,
        accepted_at
    from with_rounds

)

select * from final
