{{ config(enabled=is_built('rework')) }}
with

acceptances as (

    select
        *,
        coalesce(next_state != 'accepted', false) as is_undone
    from {{ ref('int_story_decisions') }}
    where to_state = 'accepted'

),

iterations as (

    select * from {{ ref('int_iterations') }}

),

-- An instant is in at most one iteration of its project
-- (assert_iterations_do_not_overlap).
final as (

    select
        acceptances.story_transition_key as acceptance_key,
        acceptances.story_id,
        acceptances.project_id,
        iterations.iteration_key,
        acceptances.performed_by_id as accepted_by_id,
        case when acceptances.is_undone then acceptances.next_performed_by_id end
            as undone_by_id,
        acceptances.story_type,
        case when acceptances.is_undone then acceptances.next_state end
            as undone_to_state,
        acceptances.record_source,
        case when acceptances.is_history_known then acceptances.acceptance_number end
            as acceptance_number,
        case when acceptances.is_history_known then acceptances.rejection_count end
            as earlier_rejection_count,
        acceptances.estimate,
        case
            when acceptances.delivered_at <= acceptances.decided_at
                then {{ seconds_between(
                    'acceptances.delivered_at', 'acceptances.decided_at'
                ) }}
        end as delivered_to_accepted_seconds,
        case
            when
                acceptances.is_undone
                and acceptances.decided_at <= acceptances.next_occurred_at
                then {{ seconds_between(
                    'acceptances.decided_at', 'acceptances.next_occurred_at'
                ) }}
        end as accepted_to_undone_seconds,
        case
            when acceptances.is_history_known
                then
                    acceptances.acceptance_number = 1
                    and acceptances.rejection_count = 0
        end as is_first_pass,
        acceptances.is_undone,
        acceptances.is_deleted,
        acceptances.decided_date as accepted_date,
        acceptances.delivered_at,
        acceptances.decided_at as accepted_at,
        case when acceptances.is_undone then acceptances.next_occurred_at end
            as undone_at
    from acceptances
    left join iterations
        on
            acceptances.project_id = iterations.project_id
            and acceptances.decided_at >= iterations.starts_at
            and acceptances.decided_at < iterations.finishes_at

)

select * from final
