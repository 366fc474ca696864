with

scope as (

    select * from {{ ref('int_iteration_scope_with_points') }}

),

final as (

    select
        iteration_key || '-' || story_id as iteration_scope_key,
        iteration_key,
        story_id,
        project_id,
        story_type,
        entry_kind,
        commitment_source,
        exit_kind,
        {{ as_decimal('points_at_entry') }} as points_at_entry,
        {{ as_decimal('points_at_exit') }} as points_at_exit,
        is_committed,
        coalesce(commitment_source = 'backlog order', entry_kind = 'unknown')
            as is_rebuilt,
        entered_at,
        exited_at
    from scope

)

select * from final
