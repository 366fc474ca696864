with

decisions as (

    select * from {{ ref('int_story_decisions') }}

),

stories as (

    select * from {{ ref('int_stories') }}
    where coalesce(story_type, '') != 'release'

),

project_settings as (

    select * from {{ ref('int_project_settings') }}

),

versions as (

    select * from {{ ref('int_story_versions') }}

),

-- The versions of a story tile its time: the range join finds at most one of them.
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
        decisions.acceptance_number,
        decisions.rejection_count,
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
