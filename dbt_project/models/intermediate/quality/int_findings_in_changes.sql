with

stories as (

    select * from {{ ref('int_stories') }}
    where not is_deleted

),

activity_changes as (

    select * from {{ ref('fct_activity_change') }}
    where resource_kind = 'story' and change_type = 'update'

),

activities as (

    select * from {{ ref('fct_activity') }}

),

accepted_intervals as (

    select * from {{ ref('fct_story_state_interval') }}
    where story_state = 'accepted'

),

-- A story is in one state at an instant: a change meets at most one stay in accepted.
changes_while_accepted as (

    select
        stories.story_id,
        stories.project_id,
        activity_changes.activity_id,
        activity_changes.from_estimate,
        activity_changes.to_estimate,
        activity_changes.is_estimate_change
    from activity_changes
    inner join stories
        on activity_changes.resource_id = stories.story_id
    inner join accepted_intervals
        on
            activity_changes.resource_id = accepted_intervals.story_id
            and activity_changes.occurred_at > accepted_intervals.entered_at
            and activity_changes.occurred_at < accepted_intervals.left_at
    inner join activities
        on activity_changes.activity_id = activities.activity_id
    where
        activities.activity_kind = 'story_update_activity'
        and not activity_changes.is_state_change

),

changed_after_acceptance as (

    select
        story_id,
        project_id,
        {{ joined_text('activity_id') }} as activity_ids
    from changes_while_accepted
    group by
        story_id,
        project_id

),

estimated_after_acceptance as (

    select
        story_id,
        project_id,
        {{ joined_text('activity_id') }} as activity_ids
    from changes_while_accepted
    where
        is_estimate_change
        and {{ differ('from_estimate', 'to_estimate') }}
    group by
        story_id,
        project_id

),

final as (

    {{ finding(
        'changed_after_acceptance', 'changed_after_acceptance', 'story_id',
        "'activity_id ' || activity_ids"
    ) }}

    union all

    {{ finding(
        'estimate_changed_after_acceptance', 'estimated_after_acceptance', 'story_id',
        "'activity_id ' || activity_ids"
    ) }}

)

select * from final
