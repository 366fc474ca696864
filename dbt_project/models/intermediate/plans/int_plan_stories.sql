-- A table: its joins cost more than its rows.
{{ config(materialized='table') }}

with

stories as (

    select * from {{ ref('int_stories') }}
    where
        not is_deleted
        and coalesce(story_type, '') != 'release'

),

epics as (

    select * from {{ ref('int_epics') }}

),

releases as (

    select * from {{ ref('int_releases_with_places') }}

),

listed_stories as (

    select * from {{ ref('stg_pivotal_tracker__release_stories') }}

),

stories_in_order as (

    select * from {{ ref('int_stories_in_backlog_order') }}

),

story_labels as (

    select * from {{ ref('int_story_labels') }}

),

labels as (

    select * from {{ ref('int_labels') }}

),

-- The labels of a release: its own, and the one that has its name.
release_labels as (

    select
        releases.release_id,
        labels.label_id
    from releases
    inner join labels
        on
            releases.project_id = labels.project_id
            and lower(trim(releases.release_name)) = lower(labels.label_name)
    where releases.membership_source = 'label'

    union all

    select
        releases.release_id,
        story_labels.label_id
    from releases
    inner join story_labels
        on releases.release_id = story_labels.story_id
    where releases.membership_source = 'label'

),

memberships as (

    select
        'epic' as target_kind,
        epics.epic_id as target_id,
        story_labels.story_id
    from epics
    inner join story_labels
        on
            epics.label_id = story_labels.label_id
            and epics.project_id = story_labels.project_id

    union all

    select
        'release' as target_kind,
        releases.release_id as target_id,
        listed_stories.story_id
    from releases
    inner join listed_stories
        on releases.release_id = listed_stories.release_id

    union all

    select
        'release' as target_kind,
        releases.release_id as target_id,
        stories_in_order.story_id
    from releases
    inner join stories_in_order
        on
            releases.project_id = stories_in_order.project_id
            and releases.backlog_place = stories_in_order.release_place
    where releases.membership_source = 'order'

    union all

    -- Distinct: a story can have two of a release's labels.
    select distinct
        'release' as target_kind,
        release_labels.release_id as target_id,
        story_labels.story_id
    from release_labels
    inner join story_labels
        on release_labels.label_id = story_labels.label_id

    union all

    -- The whole backlog of a project: all but the icebox.
    select
        'project' as target_kind,
        project_id as target_id,
        story_id
    from stories
    where coalesce(current_state, '') != 'unscheduled'

),

final as (

    select
        memberships.target_kind,
        memberships.target_id,
        memberships.story_id,
        stories.current_state,
        stories.estimate,
        stories.current_state = 'accepted' as is_accepted,
        stories.accepted_at
    from memberships
    inner join stories
        on memberships.story_id = stories.story_id

)

select * from final
