-- A table: marts and tests come to it, and its joins cost more than its rows.
{{ config(materialized='table') }}

with

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

-- A release's labels: the one that is called like it, and those that it carries.
labels_by_release as (

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

final as (

    select
        releases.release_id,
        listed_stories.story_id
    from releases
    inner join listed_stories
        on releases.release_id = listed_stories.release_id

    union all

    select
        releases.release_id,
        stories_in_order.story_id
    from releases
    inner join stories_in_order
        on
            releases.project_id = stories_in_order.project_id
            and releases.backlog_place = stories_in_order.release_place
    where releases.membership_source = 'order'

    union all

    -- Distinct: a story may carry two of a release's labels.
    select distinct
        labels_by_release.release_id,
        story_labels.story_id
    from labels_by_release
    inner join story_labels
        on labels_by_release.label_id = story_labels.label_id

)

select * from final
