with

cycle_times as (

    select * from {{ ref('fct_story_cycle_time') }}
    where not is_deleted

),

final as (

    {{ finding(
        'accepted_without_start', 'cycle_times', 'story_id', instants_shown('accepted_at'),
        "is_accepted and history_coverage = 'complete' and cycle_time_seconds is null"
    ) }}

    union all

    {{ finding(
        'start_skipped', 'cycle_times', 'story_id', "'in progress, never started'",
        "cycle_time_seconds is not null and started_count = 0
        and history_coverage = 'complete'"
    ) }}

    union all

    {{ finding(
        'accepted_before_started', 'cycle_times', 'story_id',
        instants_shown('accepted_at', 'first_started_at'),
        'is_accepted and accepted_at < first_started_at'
    ) }}

    union all

    {{ finding(
        'history_missing', 'cycle_times', 'story_id', "'no transition is known'",
        "history_coverage = 'none' and is_accepted"
    ) }}

    union all

    {{ finding(
        'history_partial', 'cycle_times', 'story_id',
        "'current_state ' || current_state", "history_coverage = 'partial'"
    ) }}

    union all

    {{ finding(
        'rejected_chore', 'cycle_times', 'story_id', "'rejected_count ' || rejected_count",
        "story_type = 'chore' and rejected_count > 0"
    ) }}

)

select * from final
