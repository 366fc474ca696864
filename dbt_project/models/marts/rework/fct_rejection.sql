with

rejections as (

    select * from {{ ref('int_story_decisions_with_attributes') }}
    where to_state = 'rejected'

),

rounds as (

    select * from {{ ref('int_story_rejection_rounds') }}

),

with_rounds as (

    select
        rejections.*,
        rounds.rejection_number,
        rounds.is_rejected_again,
        coalesce(rejections.from_state = 'accepted', false) as is_unaccept,
        rounds.delivered_at as last_delivered_at,
        rounds.restarted_at,
        rounds.redelivered_at,
        rounds.accepted_at
    from rejections
    inner join rounds
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
