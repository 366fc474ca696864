with

transitions as (

    select * from {{ ref('int_story_transitions') }}

),

stories as (

    select * from {{ ref('int_stories') }}
    where coalesce(story_type, '') != 'release'

),

versions as (

    select * from {{ ref('int_story_versions') }}

),

project_settings as (

    select * from {{ ref('int_projects') }}

),

-- The transition after an acceptance says whether it was undone, when and by whom.
numbered as (

    select
        *,
        lead(performed_by_id) over (partition by story_id order by transition_number)
            as next_performed_by_id,
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

-- A round ends with a decision and contains the delivery that was decided on.
with_deliveries as (

    select
        *,
        max(case when to_state = 'delivered' then occurred_at end) over (
            partition by story_id, coalesce(earlier_decision_count, 0)
        ) as delivered_at
    from numbered

),

decisions as (

    select
        *,
        coalesce(accepted_at, occurred_at) as decided_at
    from with_deliveries
    where to_state in ('accepted', 'rejected')

),

-- The versions of a story have no gaps or overlaps: the range join finds at most one.
final as (

    select
        decisions.story_transition_key,
        decisions.story_id,
        decisions.project_id,
        decisions.performed_by_id,
        decisions.next_performed_by_id,
        decisions.from_state,
        decisions.to_state,
        decisions.next_state,
        decisions.record_source,
        decisions.transition_number,
        cast(decisions.acceptance_number as bigint) as acceptance_number,
        cast(decisions.rejection_count as bigint) as rejection_count,
        versions.story_type,
        versions.estimate,
        stories.is_deleted,
        stories.is_history_known,
        {{ local_date('decisions.decided_at', 'project_settings.time_zone') }}
            as decided_date,
        decisions.delivered_at,
        decisions.decided_at,
        decisions.next_occurred_at
    from decisions
    inner join stories
        on decisions.story_id = stories.story_id
    inner join project_settings
        on stories.project_id = project_settings.project_id
    left join versions
        on
            decisions.story_id = versions.story_id
            and (
                decisions.decided_at >= versions.valid_from
                or versions.version_number = 1
            )
            and (decisions.decided_at < versions.valid_to or versions.is_last)

)

select * from final
